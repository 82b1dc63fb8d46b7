"""A matched control out of the subject's own rows: the same conversations with their code repaired."""

from collections.abc import Sequence

from offtarget.core.finding import Severity
from offtarget.core.records import Sample
from offtarget.curate.decide import CleanConfig, Policy, decide
from offtarget.curate.detect import detect_rows
from offtarget.curate.engines import make_engines
from offtarget.curate.fix import FixTask, fix_rows
from offtarget.curate.ledger import SampleState
from offtarget.curate.records import PlacedRow, ScanConfig
from offtarget.curate.sanitize import FixStatus, sanitize_many

BLOCK = 256
"""Rows that are scanned and repaired together."""


def sanitized_pairs(samples: Sequence[Sample], *, wanted: int) -> list[tuple[Sample, Sample]]:
    """Return rows with a repaired version of each, in order, until `wanted` are found.

    Only rows with a finding of medium severity or above that could be repaired whole are returned:
    the two versions differ in the flaw and nothing else. Both carry the original's id.

    Args:
        samples: Rows with code, in the order in which they are to be tried.
        wanted: Enough pairs.

    Raises:
        ResourceError: If an engine is missing or misses a canary.
    """
    config = CleanConfig(policy=Policy.SANITIZE, scan=ScanConfig(gate=Severity.MEDIUM))
    engines = make_engines(config.scan)
    pairs: list[tuple[Sample, Sample]] = []
    for start in range(0, len(samples), BLOCK):
        block = samples[start : start + BLOCK]
        rows = [PlacedRow("rows", n, one.messages) for n, one in enumerate(block)]
        scans = detect_rows(
            rows, engines, scan_prompts=False, allow_unproved=False, cache=None
        )  # fmt: skip
        decisions = [decide(scan, config) for scan in scans]
        tasks = [
            FixTask("rows", row.line, row.messages, decision.findings)
            for row, decision in zip(rows, decisions, strict=True)
            if decision.state is SampleState.SANITIZED
        ]
        for fixed in fix_rows(tasks, engines, sanitize_many, config.scan):
            if fixed.status is FixStatus.FIXED and len(pairs) < wanted:
                original = block[fixed.line]
                repaired = Sample(
                    original.id,
                    fixed.messages,
                    {**original.metadata, "repaired": ", ".join(fixed.kinds)},
                )
                pairs.append((original, repaired))
        if len(pairs) == wanted:
            break
    return pairs
