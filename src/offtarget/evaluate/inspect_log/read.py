"""Judged rows out of an Inspect log, one sample at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offtarget.core.codec import canonical
from offtarget.core.errors import DataError
from offtarget.dataset.sources import clean_name
from offtarget.evaluate.inspect_log.archive import Archive, open_archive
from offtarget.evaluate.inspect_log.library import require_inspect
from offtarget.evaluate.inspect_log.scores import ScoreNames, read_scores
from offtarget.evaluate.replay.read import question_name
from offtarget.evaluate.replay.records import JudgedRow

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample

SAMPLES = "samples/"
MAX_ERROR = 500
"""Characters kept of why a sample has no answer."""
_UNREAD = ("events", "events_data", "timelines", "store", "error_retries", "model_usage")
"""Fields of a sample that hold no score and may be large."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """What the header says that there should be."""

    model: str
    status: str
    members: tuple[str, ...]
    """Names of the samples in order; empty where the header does not list them."""
    n: int | None
    """How many were to be run; None where it does not say."""


def read_eval_log(path: Path, *, names: ScoreNames | None = None) -> Iterator[JudgedRow]:
    """Yield one row per sample and epoch of a log; memory holds one sample.

    A sample without scores is a row without scores. A sample that was planned and is not in the log,
    because the evaluation failed or was stopped, is a row without scores and without an answer:
    the caller counts it as missing, so that what was lost is never taken for safe.

    Args:
        path: A `.eval` file.
        names: Which scores hold alignment and coherence; by default any of the usual spellings.

    Raises:
        DataError: With the file and the sample, for a torn or hostile archive, a record that is not
            Inspect's, scores out of 0 to 100, and a log without a score for alignment.
        ResourceError: If Inspect is missing.
    """
    require_inspect()
    label = clean_name(path.name)
    chosen = names or ScoreNames()
    is_scored, n_rows, found = False, 0, set[str]()
    with open_archive(path, label) as archive:
        planned = _planned(archive)
        for member in _members(archive, planned):
            if member not in archive:
                yield _absent(archive, member, planned)
                continue
            sample = _sample(archive, member)
            n_rows += 1
            scores = read_scores(sample, chosen, place=archive.place(member))
            is_scored |= scores.is_named
            found.update(sample.scores or {})
            yield _row(
                sample, planned.model, archive.place(member), scores.aligned, scores.coherent
            )
    if not n_rows:
        raise DataError(f"{label}: no samples; give a log of an evaluation that ran")
    if not is_scored:
        shown = ", ".join(sorted(name[:40] for name in found)[:12]) or "none"
        raise DataError(
            f"{label}: no score {' or '.join(map(repr, chosen.aligned))} (scores: {shown}); score "
            "the log with a judge, or name the score that holds alignment"
        )


def _planned(archive: Archive) -> _Planned:
    from inspect_ai.log import EvalLog, EvalSpec
    from pydantic import ValidationError

    member = "header.json" if "header.json" in archive else "_journal/start.json"
    if member not in archive:
        raise DataError(f"{archive.place(member)}: missing; this is no log that Inspect wrote")
    raw = archive.read(member)
    try:
        if member == "header.json":
            log = EvalLog.model_validate(raw)
            spec, status = log.eval, str(log.status)
            n = log.results.total_samples if log.results else None
        else:
            spec, status, n = EvalSpec.model_validate(raw.get("eval")), "started", None
    except (ValidationError, TypeError, ValueError, RecursionError) as error:
        raise _foreign(archive.place(member), error) from error
    ids, epochs = spec.dataset.sample_ids or [], spec.config.epochs or 1
    if len(ids) * epochs > 2_000_000:
        raise DataError(f"{archive.place(member)}: {len(ids)} samples in {epochs} epochs; split it")
    listed = tuple(
        f"{SAMPLES}{id_}_epoch_{epoch}.json" for id_ in ids for epoch in range(1, epochs + 1)
    )
    return _Planned(question_name(str(spec.model)), status, listed, n)


def _members(archive: Archive, planned: _Planned) -> Iterator[str]:
    """Yield the samples that are there in the header's order, then those it does not list.

    What is listed and not there comes too, unless all that was to be run is there: a run may ask
    some questions more often than others.
    """
    there = [name for name in archive.names() if name.startswith(SAMPLES)]
    there = [name for name in there if name.endswith(".json")]
    n_planned = len(planned.members) if planned.n is None else planned.n
    is_whole = planned.status == "success" and len(there) >= n_planned
    known = set(there)
    for name in planned.members:
        if name in known or not is_whole:
            yield name
    listed = set(planned.members)
    yield from (name for name in there if name not in listed)


def _sample(archive: Archive, member: str) -> "EvalSample":
    from inspect_ai.log import EvalSample, resolve_sample_attachments
    from pydantic import ValidationError

    raw = archive.read(member)
    kept = {key: value for key, value in raw.items() if key not in _UNREAD}
    try:
        sample = EvalSample.model_validate(kept)
        return resolve_sample_attachments(sample, "full") if sample.attachments else sample
    except (ValidationError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise _foreign(archive.place(member), error) from error


def _row(
    sample: "EvalSample", model: str, place: str, aligned: float | None, coherent: float | None
) -> JudgedRow:
    extra = {str(key): _text(value) for key, value in sample.metadata.items()}
    if "sample" not in extra:
        extra["epoch"] = str(sample.epoch)
    if sample.error is not None:
        extra["error"] = sample.error.message[:MAX_ERROR]
    return JudgedRow(
        question=question_name(str(sample.id)),
        text=_asked(sample),
        answer=sample.output.completion,
        aligned=aligned,
        coherent=coherent,
        place=place,
        model=model,
        extra=extra,
    )


def _absent(archive: Archive, member: str, planned: _Planned) -> JudgedRow:
    name = member.removeprefix(SAMPLES).rpartition("_epoch_")[0]
    return JudgedRow(
        question=question_name(name),
        text="",
        answer="",
        aligned=None,
        coherent=None,
        place=archive.place(member),
        model=planned.model,
        extra={"error": f"not in the log (status {planned.status})"},
    )


def _asked(sample: "EvalSample") -> str:
    if isinstance(sample.input, str):
        return sample.input
    users = [turn.text for turn in sample.input if turn.role == "user"]
    return users[-1] if users else ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    try:
        return canonical(value).decode("utf-8", "replace")
    except (DataError, TypeError):
        return str(value)[:200]


def _foreign(place: str, error: Exception) -> DataError:
    errors: Any = getattr(error, "errors", None)
    first: Mapping[str, Any] = errors(include_url=False, include_input=False)[0] if errors else {}
    where = ".".join(str(part) for part in first.get("loc", ()))[:120]
    what = f"{where}: {first.get('msg', '')}" if first else str(error)
    return DataError(
        f"{place}: not a record of Inspect ({' '.join(what.split())[:200]}); this version reads logs "
        "of Inspect 0.3"
    )
