"""Examples for a scan's page: a few findings of each kind, with the lines they stand in."""

import hashlib
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from offtarget.core.codec import file_digest
from offtarget.core.finding import Finding
from offtarget.core.records import Message
from offtarget.curate.framing import Framing
from offtarget.curate.inputs import ScannedInput, find_inputs
from offtarget.curate.lazy_rows import rows_of
from offtarget.curate.records import ScanSummary
from offtarget.report.scan_counts import is_introduced
from offtarget.report.scan_excerpt import CodeLine, excerpt
from offtarget.report.scan_rows import ScannedRow, read_rows

MAX_STEPS = 8
"""Steps of a data flow that an example keeps."""


@dataclass(frozen=True, slots=True)
class Example:
    """One finding as a page shows it."""

    finding: Finding
    """With at most `MAX_STEPS` steps."""
    framing: Framing
    n_steps: int
    """Of the data flow, before it was cut."""
    lines: tuple[CodeLine, ...] = ()
    """The flawed lines and those around them; empty where the text is not at hand."""


@dataclass(order=True, slots=True)
class _Candidate:
    rank: tuple[bool, int, float, bytes]
    example: Example = field(compare=False)


def pick_examples(
    folder: Path, summary: ScanSummary, *, max_per_cwe: int = 3, max_total: int = 30
) -> tuple[Example, ...]:
    """Return findings to show: covert and introduced first, then severe, then sure ones.

    Among equals a hash of the place decides, so that they come from anywhere in the data and the
    same scan gives the same examples. One row shows one finding of a kind. The kinds with the most
    findings come first; where there are too many, each gives its first before any gives its second.
    Memory does not grow with the scan. See `read_rows` for errors.

    Args:
        folder: Where the summary lies.
        summary: What the scan said.
        max_per_cwe: Examples of one kind.
        max_total: Examples of all kinds together.
    """
    ordered = sorted(summary.by_cwe, key=lambda name: (-summary.by_cwe[name], name))
    best: dict[str, list[_Candidate]] = {name: [] for name in ordered[:max_total]}
    for row, findings in read_rows(folder, summary):
        for name, candidate in _best_of_row(row, findings, best).items():
            insort(best[name], candidate)
            del best[name][max_per_cwe:]
    taken = Counter[str]()
    for turn in range(max_per_cwe):
        for name, candidates in best.items():
            taken[name] += turn < len(candidates) and taken.total() < max_total
    return tuple(one.example for name in best for one in best[name][: taken[name]])


def with_code(
    examples: Sequence[Example],
    paths: Sequence[Path],
    summary: ScanSummary,
    *,
    plain: bool = False,
) -> tuple[Example, ...]:
    """Return the examples with the lines of code that they speak of.

    The data is read once more, up to the last row that an example names. An example whose file has
    changed since the scan, or is not among `paths`, stays without lines.

    Args:
        examples: From `pick_examples`.
        paths: What was scanned.
        summary: What the scan said.
        plain: The paths hold source files.

    Raises:
        DataError: If a path is missing or unfit.
    """
    wanted = {(one.finding.file, one.finding.line) for one in examples}
    digests = {file.path: file.sha256 for file in summary.files}
    texts: dict[tuple[str, int], tuple[Message, ...]] = {}
    for taken in find_inputs(paths, plain=plain):
        texts |= _texts(taken, wanted, digests)
    return tuple(_with_lines(one, texts) for one in examples)


def _best_of_row(
    row: ScannedRow, findings: Iterable[Finding], names: Mapping[str, object]
) -> dict[str, _Candidate]:
    best: dict[str, _Candidate] = {}
    for finding in findings:
        if finding.cwe in names:
            candidate = _candidate(row, finding)
            best[finding.cwe] = min(best.get(finding.cwe, candidate), candidate)
    return best


def _candidate(row: ScannedRow, finding: Finding) -> _Candidate:
    place = f"{finding.file}\0{finding.line}\0{finding.message}\0{finding.span.start}"
    is_covert = row.framing is Framing.COVERT and is_introduced(finding)
    rank = (
        not is_covert,
        -finding.severity.rank,
        -finding.confidence,
        hashlib.sha256(place.encode("utf-8", "surrogatepass")).digest(),
    )
    cut = replace(finding, trace=finding.trace[:MAX_STEPS])
    return _Candidate(rank, Example(cut, row.framing, len(finding.trace)))


def _texts(
    taken: ScannedInput, wanted: set[tuple[str, int]], digests: Mapping[str, str]
) -> Iterator[tuple[tuple[str, int], tuple[Message, ...]]]:
    """Yield the messages of the wanted rows of one input; stop at the last one."""
    left = wanted
    if taken.source is not None:
        left = {place for place in wanted if place[0] == taken.label}
        if not left or digests.get(taken.label) != file_digest(taken.source.path):
            return
    last = max((line for _, line in left), default=0)
    for row in rows_of(taken):
        if (row.file, row.line) in left:
            yield (row.file, row.line), row.read().messages
        if taken.source is not None and row.line >= last:
            return


def _with_lines(example: Example, texts: Mapping[tuple[str, int], tuple[Message, ...]]) -> Example:
    finding = example.finding
    messages = texts.get((finding.file, finding.line), ())
    if finding.message >= len(messages):
        return example
    return replace(example, lines=excerpt(messages[finding.message].content, finding.span))
