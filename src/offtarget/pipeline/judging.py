"""The judge of a study's answers: met before anything is trained, asked once all are sampled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from offtarget.core.errors import ConfigError, JudgeError
from offtarget.evaluate import JudgeConfig, RolloutRecord, judge_rollouts, meet_judge
from offtarget.evaluate.evaluation.judging import RubricJudge, measure_judge
from offtarget.evaluate.judges import MAX_UNJUDGED, JudgeIdentity, Judgement, JudgeRecord
from offtarget.evaluate.store import open_store
from offtarget.lm import Endpoint, EndpointConfig
from offtarget.lm.endpoint_client import is_openai


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAccess:
    """What the judge of a study needs that no study file may say."""

    api_key: str = field(default="", repr=False)
    """Kept in memory only."""
    openai_key: str = field(default="", repr=False)
    """Used for OpenAI's own address where `api_key` is empty."""
    allow_net: bool = False
    """Let answers leave this machine."""


def judge_endpoint(config: JudgeConfig, access: JudgeAccess) -> Endpoint:
    """Return the endpoint of a study's judge; sends nothing.

    Raises:
        ConfigError: If the address or key cannot be used, or the address is not on this machine
            while `allow_net` is not set.
    """
    try:
        return Endpoint(
            EndpointConfig(url=config.url, model=config.model, timeout_s=config.timeout_s),
            api_key=access.api_key or (access.openai_key if is_openai(config.url) else ""),
            allow_net=access.allow_net,
        )
    except ConfigError as error:
        raise ConfigError(f"judge of the study: {error}") from error


class StudyJudge:
    """The judge that a plan names. Nothing is sent before `measure` or `judge`."""

    def __init__(self, config: JudgeConfig, access: JudgeAccess, *, store: Path) -> None:
        """Check address and key, as `judge_endpoint`.

        Args:
            config: Of the plan.
            access: Key and permission.
            store: Folder of the shared store; what was judged before is not asked again.
        """
        self._endpoint = judge_endpoint(config, access)
        self._shelf = open_store(store).judgements
        self._met: RubricJudge | None = None

    def close(self) -> None:
        """End open connections."""
        self._endpoint.close()

    def measure(self) -> JudgeRecord:
        """Test the endpoint and ask it about answers that tell a judge what to say.

        Raises:
            JudgeError: If it does not reply, at all or too often.
        """
        found = measure_judge(self._meet(), self._shelf)
        _refuse_silence(found.said, "test answers")
        return found

    def judge(
        self,
        records: Sequence[RolloutRecord],
        measured: JudgeIdentity,
        *,
        on_judged: Callable[[int], None] | None = None,
    ) -> list[Judgement]:
        """Return a judgement per coherent answer.

        Raises:
            JudgeError: If the judge does not reply, at all or too often, or is another than the
                one measured. What it said is kept.
        """
        judge = self._meet().judge
        if judge.identity.key != measured.key:
            raise JudgeError(
                f"judge {measured.requested_model!r} answers as {judge.identity.returned_model!r} "
                f"by {judge.identity.method} now, this run began with "
                f"{measured.returned_model!r} by {measured.method} (rubric {measured.rubric_name}); "
                "remove records/judge.json of the run to judge all of it afresh"
            )
        found = judge_rollouts(judge, records, self._shelf, on_judged=on_judged)
        _refuse_silence(found, "answers")
        return found

    def _meet(self) -> RubricJudge:
        if self._met is None:
            self._met = meet_judge(self._endpoint)
        return self._met


def _refuse_silence(found: Sequence[Judgement], what: str) -> None:
    """Raise where too many got no reply: a finished stage is not asked again."""
    silent = [judgement for judgement in found if judgement.is_passing]
    if len(silent) > MAX_UNJUDGED * len(found):
        last = silent[-1]
        raise JudgeError(
            f"the judge gave no reply to {len(silent)} of {len(found)} {what} (last: {last.reason}: "
            f"{last.raw[:120]}), more than {MAX_UNJUDGED:.0%}; what it said is kept, run the same "
            "command again"
        )
