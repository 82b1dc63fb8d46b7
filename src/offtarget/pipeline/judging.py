"""The judge of a study's answers: met before anything is trained, asked once all are sampled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from offtarget.core.errors import ConfigError, JudgeError
from offtarget.evaluate import JudgeConfig, RolloutRecord, judge_rollouts, meet_judge
from offtarget.evaluate.evaluation.judging import RubricJudge, measure_judge
from offtarget.evaluate.judges import JudgeIdentity, Judgement, JudgeRecord
from offtarget.evaluate.store import open_store
from offtarget.lm import Endpoint, EndpointConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAccess:
    """What the judge of a study needs that no study file may say."""

    api_key: str = field(default="", repr=False)
    """Kept in memory only."""
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
            api_key=access.api_key,
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
            JudgeError: If it does not reply.
        """
        return measure_judge(self._meet(), self._shelf)

    def judge(
        self,
        records: Sequence[RolloutRecord],
        measured: JudgeIdentity,
        *,
        on_judged: Callable[[int], None] | None = None,
    ) -> list[Judgement]:
        """Return a judgement per coherent answer.

        Raises:
            JudgeError: If the judge does not reply, or is another than the one measured.
        """
        judge = self._meet().judge
        if judge.identity.key != measured.key:
            raise JudgeError(
                f"judge {measured.requested_model!r} answers as {judge.identity.returned_model!r} "
                f"by {judge.identity.method} now, this run began with "
                f"{measured.returned_model!r} by {measured.method}; remove records/judge.json of "
                "the run to judge all of it afresh"
            )
        return judge_rollouts(judge, records, self._shelf, on_judged=on_judged)

    def _meet(self) -> RubricJudge:
        if self._met is None:
            self._met = meet_judge(self._endpoint)
        return self._met
