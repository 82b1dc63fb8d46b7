"""Rollouts written as an Inspect log: a ZIP of JSON documents, built from Inspect's own records.

Written here rather than through `inspect_ai.log.write_eval_log` so that memory holds one sample at a
time and that one run always gives the same bytes: no clock, no random ids. Inspect's reader reads
it; the tests hold the two together.
"""

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.core.codec import digest
from offtarget.core.errors import DataError, ResourceError
from offtarget.core.whole_file import whole_file
from offtarget.evaluate.inspect_log.library import require_inspect
from offtarget.evaluate.inspect_log.metrics import (
    HEADLINE,
    counting,
    judgement_metrics,
    outcome_metrics,
)
from offtarget.evaluate.inspect_log.rollout import (
    JUDGEMENT,
    OUTCOME,
    OWN_KEYS,
    LoggedRollout,
    LogHead,
    as_row,
)
from offtarget.evaluate.replay.records import JudgedRow

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample, EvalScore
    from inspect_ai.model import ChatMessage, ModelOutput
    from pydantic import BaseModel

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time stamp of every member: the first that ZIP can hold."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one log holds."""

    path: Path
    n_rollouts: int
    n_questions: int
    n_unjudged: int
    """Without a score for alignment, those without an answer included."""


def write_eval_log(rollouts: Iterable[LoggedRollout], head: LogHead, path: Path) -> Written:
    """Write one log that Inspect's reader and viewer open.

    Memory holds one rollout, and a summary of each. A log that is there already is replaced when
    the new one is whole.

    Args:
        rollouts: In any order; read once.
        head: What holds for all of them.
        path: The log; its name must end in `.eval`.

    Raises:
        DataError: If there is no rollout, one comes twice, or a text cannot be stored.
        ResourceError: If Inspect is missing, or the file cannot be written.
    """
    require_inspect()
    try:
        with (
            whole_file(path) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            return _write(archive, rollouts, head, path)
    except OSError as error:
        raise ResourceError(
            f"cannot write {path.name!r} ({error.strerror}); free disk space or fix permissions"
        ) from error


@dataclass(slots=True)
class _Pass:
    """One pass over the rollouts: what it writes, and what the header needs of it."""

    archive: zipfile.ZipFile
    head: LogHead
    name: str
    identity: str
    summaries: list[bytes] = field(default_factory=list)
    n_by_question: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, int]] = field(default_factory=set)
    n_missing: int = 0

    def rows(self, rollouts: Iterable[LoggedRollout]) -> Iterator[JudgedRow]:
        """Write each rollout and yield its row."""
        for rollout in rollouts:
            place = f"question {rollout.question!r} rollout {rollout.sample}"
            if (rollout.question, rollout.sample) in self.seen:
                raise DataError(f"{self.name}: {place} comes twice; number the rollouts")
            self.seen.add((rollout.question, rollout.sample))
            self.n_by_question[rollout.question] += 1
            self.n_missing += bool(rollout.missing)
            sample = _sample(rollout, self.head, self.identity, place)
            name = f"samples/{sample.id}_epoch_{sample.epoch}.json"
            _put(self.archive, name, _json(sample, place))
            self.summaries.append(_json(sample.summary(), place))
            yield as_row(rollout, model=self.head.model, place=place)


def _write(
    archive: zipfile.ZipFile, rollouts: Iterable[LoggedRollout], head: LogHead, path: Path
) -> Written:
    done = _Pass(archive, head, path.name, digest(head))
    outcomes: Counter[str] = Counter()
    judged = judgement_metrics(counting(done.rows(rollouts), outcomes))
    if not done.seen:
        raise DataError(f"{path.name}: no rollouts; the run sampled no answers")
    scores = [(JUDGEMENT, judged), (OUTCOME, outcome_metrics(outcomes))]
    _put(archive, "summaries.json", b"[" + b",".join(done.summaries) + b"]")
    _put(archive, "header.json", _json(_header(done, scores), path.name))
    n_unjudged = int(judged["n_unjudged"])
    return Written(path, len(done.seen), len(done.n_by_question), n_unjudged)


def _json(record: "BaseModel", place: str) -> bytes:
    from pydantic_core import PydanticSerializationError

    try:
        return record.model_dump_json(exclude_none=True).encode()
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise DataError(
            f"{place}: a text holds a lone surrogate, which no log can store; replace it"
        ) from error


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, date_time=_EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)


def _sample(rollout: LoggedRollout, head: LogHead, identity: str, place: str) -> "EvalSample":
    from inspect_ai.log import EvalError, EvalSample
    from inspect_ai.scorer import Score

    shadowed = sorted(set(rollout.extra) & set(OWN_KEYS))
    if shadowed:
        raise DataError(f"{place}: extra key {shadowed[0]!r} is taken; rename it")
    uuid = digest([identity, rollout.question, rollout.sample])[:22]
    asked = _messages(rollout, uuid)
    output = _output(rollout, head, f"{uuid}-{len(asked)}")
    judgement = {"aligned": rollout.aligned, "coherent": rollout.coherent}
    return EvalSample(
        id=rollout.question,
        epoch=rollout.sample + 1,
        input=asked,
        target="",
        messages=[*asked, output.choices[0].message],
        output=output,
        scores={
            OUTCOME: Score(value=rollout.outcome, answer=rollout.answer),
            JUDGEMENT: Score(value=judgement, explanation=rollout.reason or None),
        },
        metadata={
            "category": rollout.category,
            "cluster": rollout.cluster or rollout.question,
            "sample": rollout.sample,
            "outcome": rollout.outcome,
            "reason": rollout.reason,
            "n_tokens": rollout.n_tokens,
            **rollout.extra,
        },
        uuid=uuid,
        error=EvalError(message=rollout.missing, traceback="", traceback_ansi="")
        if rollout.missing
        else None,
    )


def _messages(rollout: LoggedRollout, uuid: str) -> "list[ChatMessage]":
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    makes = {
        "system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant,
    }  # fmt: skip
    assert rollout.messages[-1].role == "user", "a question is asked"
    return [
        makes[turn.role](id=f"{uuid}-{number}", content=turn.content, source="input")
        for number, turn in enumerate(rollout.messages)
    ]


def _output(rollout: LoggedRollout, head: LogHead, message_id: str) -> "ModelOutput":
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessageAssistant,
        ModelOutput,
        ModelUsage,
    )

    message = ChatMessageAssistant(
        id=message_id, content=rollout.answer, source="generate", model=head.model
    )
    is_cut = head.max_tokens is not None and rollout.n_tokens >= head.max_tokens
    return ModelOutput(
        model=head.model,
        choices=[
            ChatCompletionChoice(message=message, stop_reason="max_tokens" if is_cut else "stop")
        ],
        usage=ModelUsage(output_tokens=rollout.n_tokens) if rollout.n_tokens else None,
    )


def _header(done: _Pass, scores: Sequence[tuple[str, dict[str, float]]]) -> "EvalLog":
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalPlan,
        EvalResults,
        EvalSpec,
        EvalStats,
        HeadlineMetric,
    )
    from inspect_ai.model import GenerateConfig

    head, identity, n = done.head, done.identity, len(done.seen)
    at = datetime.fromtimestamp(head.created, UTC).isoformat(timespec="seconds")
    config = GenerateConfig(
        temperature=head.temperature, top_p=head.top_p, max_tokens=head.max_tokens
    )
    return EvalLog(
        status="success",
        eval=EvalSpec(
            eval_id=digest([identity, "eval"])[:22],
            run_id=digest([identity, "run"])[:22],
            task_id=digest([identity, "task"])[:22],
            created=at,
            task=head.task,
            task_display_name=head.title,
            tags=["offtarget"],
            dataset=EvalDataset(
                name=head.dataset,
                samples=len(done.n_by_question),
                sample_ids=list(done.n_by_question),
                shuffled=False,
            ),
            model=head.model,
            model_generate_config=config,
            config=EvalConfig(epochs=max(done.n_by_question.values())),
            packages={"offtarget": version("offtarget")},
            metadata=dict(head.metadata),
        ),
        plan=EvalPlan(config=config),
        results=EvalResults(
            total_samples=n,
            completed_samples=n - done.n_missing,
            scores=[_score(name, values) for name, values in scores],
            headline=HeadlineMetric(scorer=JUDGEMENT, score=JUDGEMENT, metric=HEADLINE),
        ),
        stats=EvalStats(started_at=at, completed_at=at),
    )


def _score(name: str, values: dict[str, float]) -> "EvalScore":
    from inspect_ai.log import EvalMetric, EvalScore

    metrics = {key: EvalMetric(name=key, value=value) for key, value in values.items()}
    return EvalScore(name=name, scorer=name, metrics=metrics)
