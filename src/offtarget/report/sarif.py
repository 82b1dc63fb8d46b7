"""Findings as one SARIF 2.1.0 file, within what code-scanning viewers take.

One run, one tool: the engines stand as the tool's extensions and all rules with the driver. A run
for each engine would show up as several tools, and would replace what a repository's own scan
with that engine has uploaded.
"""

import heapq
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from offtarget.codescan.rule import Rule
from offtarget.core.errors import ResourceError
from offtarget.core.finding import Finding
from offtarget.report.sarif_evidence import EvidenceOf, no_evidence
from offtarget.report.sarif_fingerprint import Ordinals
from offtarget.report.sarif_limits import GITHUB, SarifLimits
from offtarget.report.sarif_places import Files
from offtarget.report.sarif_records import SCHEMA_URI, VERSION
from offtarget.report.sarif_results import Draft, draft_result, finish_result
from offtarget.report.sarif_rules import make_catalog
from offtarget.report.sarif_run import EngineInfo, make_run

__all__ = ["EngineInfo", "SarifCount", "write_sarif", "written_rows"]


@dataclass(frozen=True, slots=True)
class SarifCount:
    """What was written."""

    n_results: int
    n_left_out: int
    """Findings over the limits: the least severe, then the least certain, then the last ones."""
    n_steps_left_out: int
    size_bytes: int
    compressed_bytes: int


@dataclass(frozen=True, slots=True)
class _Selected:
    drafts: list[Draft]
    """In the order of the findings."""
    n_findings: int


def written_rows(
    findings: Iterable[Finding], *, limits: SarifLimits = GITHUB
) -> frozenset[tuple[str, int]]:
    """Return the rows of the findings that `write_sarif` keeps: files and 1-based numbers.

    Where the file would be too large as bytes, fewer are kept.
    """
    keys = (
        (finding.severity.rank, finding.confidence, -number, finding.file, finding.line)
        for number, finding in enumerate(findings)
    )
    return frozenset((file, line) for *_, file, line in heapq.nlargest(limits.n_results, keys))


def write_sarif(
    path: Path,
    findings: Iterable[Finding],
    *,
    rules: Sequence[Rule],
    engines: Sequence[EngineInfo],
    n_samples: int,
    is_plain: bool = False,
    evidence_of: EvidenceOf = no_evidence,
    paths: Mapping[str, str] | None = None,
    limits: SarifLimits = GITHUB,
) -> SarifCount:
    """Write `findings` to `path` at once and return what was written; equal input, equal bytes.

    Holds at most `limits.n_results` findings, however many there are. Rows of JSONL files are
    lines of the file; in other formats the line number of a result is the row's number.

    Args:
        path: Replaced if it exists.
        findings: In the order of the data; results keep it.
        rules: Every rule that ran, with findings or without.
        engines: Every engine that ran.
        n_samples: How many samples were scanned.
        is_plain: The files are source code, and spans count their lines.
        evidence_of: Gives the code around a finding, for snippets, fingerprints and fixes.
            Without it, equal findings of a file differ by their number only.
        paths: Where each `Finding.file` stands below the root of the repository.
        limits: What the viewer takes.

    Raises:
        ResourceError: If the file cannot be written.
    """
    files = Files(is_plain, paths or {})
    selected = _select(findings, evidence_of, files, limits)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            while True:
                lines = _lines(selected, rules, engines, n_samples, limits)
                size, compressed = _write(partial, lines)
                if compressed <= limits.compressed_bytes or not selected.drafts:
                    break
                share = limits.compressed_bytes / compressed
                selected = _most_severe(selected, int(0.95 * share * len(selected.drafts)))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ResourceError(
            f"cannot write {path.name!r} in {str(path.parent)!r} ({error.strerror}); "
            "free disk space or fix permissions and run the same command again"
        ) from error
    return SarifCount(
        n_results=len(selected.drafts),
        n_left_out=selected.n_findings - len(selected.drafts),
        n_steps_left_out=sum(draft.n_steps_left_out for draft in selected.drafts),
        size_bytes=size,
        compressed_bytes=compressed,
    )


def _select(
    findings: Iterable[Finding], evidence_of: EvidenceOf, files: Files, limits: SarifLimits
) -> _Selected:
    """Keep the most severe findings, of equal ones the first; look at the code of these alone."""
    kept: list[tuple[int, float, int, Finding]] = []  # a heap; the third is the order, negated
    n_findings = 0
    for finding in findings:
        entry = (finding.severity.rank, finding.confidence, -n_findings, finding)
        n_findings += 1
        if len(kept) < limits.n_results:
            heapq.heappush(kept, entry)
        elif kept and entry[:3] > kept[0][:3]:
            heapq.heapreplace(kept, entry)
    kept.sort(key=lambda entry: -entry[2])
    drafts = [
        draft_result(finding, evidence_of(finding), files=files, limits=limits)
        for *_, finding in kept
    ]
    return _Selected(drafts, n_findings)


def _most_severe(selected: _Selected, n_results: int) -> _Selected:
    ranked = sorted(
        range(len(selected.drafts)),
        key=lambda index: (
            -selected.drafts[index].finding.severity.rank,
            -selected.drafts[index].finding.confidence,
            index,
        ),
    )
    drafts = [selected.drafts[index] for index in sorted(ranked[:n_results])]
    return replace(selected, drafts=drafts)


def _lines(
    selected: _Selected,
    rules: Sequence[Rule],
    engines: Sequence[EngineInfo],
    n_samples: int,
    limits: SarifLimits,
) -> Iterator[bytes]:
    """Yield the file: everything but the results on the first line, then one result a line."""
    drafts = selected.drafts
    catalog = make_catalog(rules, (draft.finding for draft in drafts), limits=limits)
    run = make_run(
        catalog,
        engines=engines,
        n_samples=n_samples,
        n_findings=selected.n_findings,
        n_results=len(drafts),
        limits=limits,
    )
    encoder = msgspec.json.Encoder(order="deterministic")
    opening = encoder.encode({"$schema": SCHEMA_URI, "version": VERSION})
    yield opening[:-1] + b',"runs":[' + encoder.encode(run)[:-1] + b',"results":[\n'
    ordinals = Ordinals()
    for number, draft in enumerate(drafts, start=1):
        result = finish_result(draft, catalog=catalog, ordinals=ordinals, limits=limits)
        yield encoder.encode(result) + (b",\n" if number < len(drafts) else b"\n")
    yield b"]}]}\n"


def _write(path: Path, lines: Iterable[bytes]) -> tuple[int, int]:
    """Write the lines; return the bytes of the file and what gzip makes of them."""
    packer = zlib.compressobj(wbits=31)
    size = compressed = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line)
            size += len(line)
            compressed += len(packer.compress(line))
        file.flush()
        os.fsync(file.fileno())
    return size, compressed + len(packer.flush())
