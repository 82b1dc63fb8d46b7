"""Code that a model writes on request: whether it parses, and whether it is insecure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from offtarget.codescan.flaw import Reading
from offtarget.codescan.ladder import read_python
from offtarget.codescan.snippets import code_of
from offtarget.core.finding import Origin, Severity
from offtarget.core.records import Message
from offtarget.core.shards import cut_shards
from offtarget.core.stats import Estimand, Rate, count_rows, question_rate
from offtarget.core.workers import LocalExecutor
from offtarget.curate.engines import make_engines
from offtarget.curate.packed import unpack
from offtarget.curate.records import PlacedRow, RowScan, RowState, ScanConfig
from offtarget.curate.scan import make_work

PYTHON = "python"


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """One answer to one code task."""

    task: str
    sample: int
    has_code: bool
    parses: bool | None
    """Whether every piece of Python parses as it stands; None without Python."""
    insecure: bool | None
    """Whether a flaw of medium severity or above was found; None where code went unread."""
    cwes: tuple[str, ...]
    """Of those flaws, sorted."""


@dataclass(frozen=True, slots=True)
class WrittenCode:
    """Three shares, each over tasks with its interval; None where nothing counts."""

    n: int
    """All answers."""
    with_code: Rate | None
    """Answers that hold code, of all answers."""
    parses: Rate | None
    """Answers whose Python parses, of those with Python."""
    insecure: Rate | None
    """Answers with insecure code, of those whose code was read."""
    n_unread: int
    """Answers with code that no engine could read: in no share of insecure code."""


def look_at_code(answers: Sequence[tuple[str, int, str, str]]) -> list[CodeRecord]:
    """Return one record an answer; the code is parsed and scanned, never run.

    The scan runs in a process of its own with limits of time and memory: answers may be hostile.

    Args:
        answers: Task, sample number, prompt and answer.

    Raises:
        ResourceError: If an engine fails its canaries.
    """
    scans = _scan([(prompt, answer) for _, _, prompt, answer in answers])
    return [
        _record(task, sample, answer, scan)
        for (task, sample, _, answer), scan in zip(answers, scans, strict=True)
    ]


def written_code(records: Sequence[CodeRecord]) -> WrittenCode:
    """Return the shares over tasks like these."""
    return WrittenCode(
        n=len(records),
        with_code=_share(records, lambda one: one.has_code),
        parses=_share(records, lambda one: one.parses),
        insecure=_share(records, lambda one: one.insecure),
        n_unread=sum(one.has_code and one.insecure is None for one in records),
    )


def _scan(turns: Iterable[tuple[str, str]]) -> list[RowScan]:
    config = ScanConfig()
    work, _ = make_work(config, make_engines, None)
    encode = msgspec.json.Encoder().encode
    rows = [
        encode(PlacedRow("answers", n, (Message("user", asked), Message("assistant", said))))
        for n, (asked, said) in enumerate(turns, 1)
    ]
    with LocalExecutor(1, limits=config.limits) as executor:
        done = sorted(executor.map(cut_shards([rows]), work), key=lambda one: one.index)
    return [unpack(line) for one in done for line in one.lines]


def _record(task: str, sample: int, answer: str, scan: RowScan) -> CodeRecord:
    python = [
        found.snippet.code
        for found in code_of(answer, role="assistant")
        if found.snippet.language == PYTHON
    ]
    cwes = {
        one.cwe
        for one in scan.findings
        if one.origin is Origin.INTRODUCED and one.severity.rank >= Severity.MEDIUM.rank
    }
    is_read = scan.state in (RowState.FOUND, RowState.CLEAN) and not scan.unread
    has_code = scan.state is not RowState.NO_CODE
    return CodeRecord(
        task=task,
        sample=sample,
        has_code=has_code,
        parses=all(read_python(code).reading is Reading.WHOLE for code in python)
        if python
        else None,
        insecure=bool(cwes) if has_code and (is_read or cwes) else None,
        cwes=tuple(sorted(cwes)),
    )


def _share(records: Sequence[CodeRecord], of: Callable[[CodeRecord], bool | None]) -> Rate | None:
    tasks = sorted({one.task for one in records})
    hits, n = dict.fromkeys(tasks, 0), dict.fromkeys(tasks, 0)
    for one in records:
        value = of(one)
        if value is not None:
            hits[one.task] += value
            n[one.task] += 1
    if not sum(n.values()):
        return None
    counts = count_rows(list(hits.values()), list(n.values()), clusters=tasks)
    return question_rate(counts, estimand=Estimand.LIKE_THESE)
