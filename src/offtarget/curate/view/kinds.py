"""Rows with each kind of flaw, beside what the engines' measured errors make of the count."""

from collections import Counter
from dataclasses import dataclass

from offtarget.core.finding import Severity
from offtarget.curate.records import ScanSummary
from offtarget.curate.view.engine_errors import (
    ANY,
    EngineErrors,
    ErrorRate,
    ErrorSource,
    engine_errors,
)
from offtarget.curate.view.prevalence import Corrected, Share, corrected, share
from offtarget.curate.view.rows import ViewRow

MIN_LANGUAGE = 0.9
"""Share of the pieces of code that must be in the language of the measured errors."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The share of truly flawed rows, if the errors of one labelled set hold for these data."""

    vulnerable: str
    """The set on which missed flaws were counted, and why it may flatter or wrong the engines."""
    safe: str
    """The set on which false findings were counted."""
    sensitivity: Share
    specificity: Share
    estimate: Corrected


@dataclass(frozen=True, slots=True)
class Prevalence:
    """How many rows have one kind of flaw."""

    kind: str
    """`CWE-89`, or `any`."""
    counted: Share
    """Of the rows whose code was read: those with a finding at or above the gate."""
    corrections: tuple[Correction, ...] = ()
    """One for each labelled set; they may differ widely."""
    note: str = ""
    """Why there is no correction."""


class KindCounts:
    """Counts rows with a finding of each kind at or above the gate, of either origin."""

    def __init__(self, gate: Severity) -> None:
        self.gate = gate
        self._kinds: Counter[str] = Counter()
        self._n = 0

    def add(self, row: ViewRow) -> None:
        """Count one row; rows whose code was not read count nowhere."""
        if not row.is_read:
            return
        self._n += 1
        kinds = {one.cwe for one in row.findings if one.severity.rank >= self.gate.rank}
        self._kinds.update(kinds)
        if kinds:
            self._kinds[ANY] += 1

    def result(self, summary: ScanSummary) -> tuple[Prevalence, ...]:
        """Return `any` and every kind that was found, the most rows first."""
        errors = engine_errors()
        reason = _why_not(errors, summary)
        kinds = sorted(self._kinds.items(), key=lambda item: (-item[1], item[0]))
        others = [name for name, _ in kinds if name != ANY]
        return tuple(self._prevalence(kind, errors, reason) for kind in (ANY, *others))

    def _prevalence(self, kind: str, errors: EngineErrors, reason: str) -> Prevalence:
        counted = share(self._kinds[kind], self._n)
        rates = [rate for rate in errors.rates if rate.kind == kind]
        if reason or not rates:
            return Prevalence(kind, counted, note=reason or "no measured error rate for this kind")
        return Prevalence(
            kind, counted, tuple(_correction(counted, rate, errors, self.gate) for rate in rates)
        )


def _correction(
    counted: Share, rate: ErrorRate, errors: EngineErrors, gate: Severity
) -> Correction:
    counts = rate.counts[gate]
    return Correction(
        vulnerable=_described(errors.sources[rate.vulnerable]),
        safe=_described(errors.sources[rate.safe]),
        sensitivity=counts.sensitivity,
        specificity=counts.specificity,
        estimate=corrected(counted.count, counted.n, counts),
    )


def _described(source: ErrorSource) -> str:
    return f"{source.name} ({source.caution})" if source.caution else source.name


def _why_not(errors: EngineErrors, summary: ScanSummary) -> str:
    """Return why the measured errors cannot hold for this scan; empty if they may."""
    used = sorted(engine.name for engine in summary.engines)
    measured = sorted(errors.engines)
    if used != measured:
        return (
            f"errors were measured with the engines {', '.join(measured)}; "
            f"this scan used {', '.join(used) or 'none'}"
        )
    total = sum(summary.by_language.values())
    n = summary.by_language.get(errors.language, 0)
    if n < MIN_LANGUAGE * total:
        return (
            f"errors were measured on {errors.language}; "
            f"only {n} of {total} pieces of code here are {errors.language}"
        )
    return ""
