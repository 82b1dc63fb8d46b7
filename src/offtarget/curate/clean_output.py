"""The last pass of a cleaning: every row to its place, with its ledger entry and its twin."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from offtarget.core.codec import canonical, file_digest, pretty
from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.curate.clean_files import CleanFiles, CleanSummary
from offtarget.curate.decide import CleanConfig, Decision, decide, rules_in
from offtarget.curate.fix import FixedRow
from offtarget.curate.ledger import CHANGED, LedgerCounts, LedgerEntry, SampleState
from offtarget.curate.output import explained, replacing
from offtarget.curate.records import ScanSummary
from offtarget.curate.reframe import reframe
from offtarget.curate.rewrite import rewrite_row, sample_in
from offtarget.curate.sanitize import FixStatus
from offtarget.curate.stored import StoredFile, StoredRow, StoredWriter
from offtarget.curate.twins import Twin
from offtarget.curate.walk import WalkedRow
from offtarget.dataset.formats import Shape, detect_shape


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is written of one row."""

    decision: Decision
    row: StoredRow
    twin: Twin | None = None


def write_clean(
    rows: Iterable[WalkedRow],
    fixed: Iterator[FixedRow],
    config: CleanConfig,
    files: CleanFiles,
    *,
    scanned: ScanSummary,
    key: str,
) -> CleanSummary:
    """Write all files of a cleaning; each appears whole or not at all, the cleaned data last.

    Args:
        rows: Of the input, in order.
        fixed: Of the rows to sanitize, in the same order.
        config: What to do with them.
        files: Where to write.
        scanned: What the scan says of the input.
        key: Of the summary.

    Raises:
        DataError: If the input is not what was scanned, or the counts do not add up to it.
        ResourceError: If a file cannot be written.
    """
    with ExitStack() as stack:
        into = _Into(files, stack)
        for walked in rows:
            into.write(walked, _outcome(walked, fixed, config))
        assert next(fixed, None) is None, "one repair a row that was to be sanitized"
        into.counts.check_total({file.path: file.n_samples for file in scanned.files})
        summary = into.finish(config, scanned, key)
        with replacing(files.summary) as file, explained(files.out.parent):
            file.write(pretty(summary).encode())
        if summary.twins is None:
            files.twins.unlink(missing_ok=True)  # of an earlier cleaning whose `out` was removed
        if summary.quarantine is None:
            files.quarantine.unlink(missing_ok=True)
    return summary


@dataclass(slots=True)
class _Into:
    """The files that are being written."""

    files: CleanFiles
    stack: ExitStack
    counts: LedgerCounts = field(default_factory=LedgerCounts)
    n_quarantined: int = 0
    n_twins: int = 0
    _out: IO[bytes] = field(init=False)
    _ledger: IO[bytes] = field(init=False)
    _twins: IO[bytes] | None = None
    _writer: StoredWriter | None = None
    _quarantine: StoredWriter | None = None
    _first: StoredFile | None = None
    _file: StoredFile | None = None
    _shapes: dict[str, Shape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._out = self.stack.enter_context(replacing(self.files.out))  # renamed last
        self._ledger = self.stack.enter_context(replacing(self.files.ledger))

    def write(self, walked: WalkedRow, outcome: _Outcome) -> None:
        """Put a row where it belongs, and say so in the ledger."""
        self._open(walked)
        decision = outcome.decision
        is_changed = decision.state in CHANGED
        sha256 = output_sha256 = ""
        output_line = quarantine_line = None
        assert self._writer is not None, "opened"
        with explained(self.files.out.parent):
            if decision.is_output:
                output_line = self.counts.n_output + 1
                sha256 = output_sha256 = self._writer.write(outcome.row)
            elif decision.state is not SampleState.DROPPED:
                self.n_quarantined += 1
                quarantine_line = self.n_quarantined
                sha256 = self._quarantined(walked).write(outcome.row)
            if is_changed or not sha256:
                sha256 = walked.file.digest(walked.row)
            entry = LedgerEntry(
                file=walked.scan.file,
                line=walked.scan.line,
                state=decision.state,
                reason=decision.reason,
                framing=walked.scan.framing,
                rules=rules_in(decision.findings),
                output_line=output_line,
                quarantine_line=quarantine_line,
                sha256=sha256,
                output_sha256=output_sha256,
            )
            self.counts.add(entry)
            self._ledger.write(canonical(entry) + b"\n")
            if outcome.twin is not None:
                self._write_twin(outcome.twin)

    def finish(self, config: CleanConfig, scanned: ScanSummary, key: str) -> CleanSummary:
        """Write what is left and return the summary; files get their names afterwards."""
        with explained(self.files.out.parent):
            for writer in (self._writer, self._quarantine):
                if writer is not None:
                    writer.close()
            self._out.flush()
            sha256 = file_digest(Path(self._out.name))
        return CleanSummary(
            samples=self.counts.n_samples,
            by_state={state: self.counts.by_state[state] for state in SampleState},
            n_output=self.counts.n_output,
            n_quarantined=self.n_quarantined,
            n_twins=self.n_twins,
            policy=config.policy,
            gate=config.scan.gate,
            files=scanned.files,
            out=self.files.out.name,
            sha256=sha256,
            ledger=self.files.ledger.name,
            twins=self.files.twins.name if self.n_twins else None,
            quarantine=self.files.quarantine.name if self.n_quarantined else None,
            scan=self.files.scan.name,
            key=key,
        )

    def _open(self, walked: WalkedRow) -> None:
        """Begin the output with the first file; check that each further one fits."""
        if self._first is None:
            self._first = walked.file
            with explained(self.files.out.parent):
                self._writer = walked.file.writer(self._out, is_compressed=self._is_compressed)
        label = walked.scan.file
        if walked.file is not self._file and walked.file.head != self._first.head:
            raise DataError(f"{label}: other columns than the files before; clean it by itself")
        self._file = walked.file
        if label not in self._shapes and not walked.scan.reason:
            shape = detect_shape(walked.row.value(), place=walked.id)
            if any(shape != other for other in self._shapes.values()):
                raise DataError(f"{label}: another chat shape than before; clean it by itself")
            self._shapes[label] = shape

    @property
    def _is_compressed(self) -> bool:
        return self.files.out.name.lower().endswith(".gz")

    def _quarantined(self, walked: WalkedRow) -> StoredWriter:
        if self._quarantine is None:
            file = self.stack.enter_context(replacing(self.files.quarantine))
            self._quarantine = walked.file.writer(file, is_compressed=self._is_compressed)
        return self._quarantine

    def _write_twin(self, twin: Twin) -> None:
        if self._twins is None:
            self._twins = self.stack.enter_context(replacing(self.files.twins))
        self._twins.write(canonical(twin) + b"\n")
        self.n_twins += 1


def _outcome(walked: WalkedRow, fixed: Iterator[FixedRow], config: CleanConfig) -> _Outcome:
    """Return what becomes of a row, rewritten if that is what was decided and it can be done."""
    decision = decide(walked.scan, config)
    if decision.state not in CHANGED:
        return _Outcome(decision, walked.row)
    repaired: FixedRow | None = None
    if decision.state is SampleState.SANITIZED:
        repaired = next(fixed, None)
        assert repaired is not None, "one repair a row that was to be sanitized"
        assert f"{repaired.file}:{repaired.line}" == walked.id, "in the rows' order"
        if repaired.status is not FixStatus.FIXED:
            return _Outcome(decision.otherwise(repaired.reason), walked.row)
    try:
        return _rewritten(walked, decision, repaired, config)
    except DataError as error:
        why = str(error).removeprefix(f"{walked.id}: ")
        return _Outcome(decision.otherwise(why), walked.row)


def _rewritten(
    walked: WalkedRow, decision: Decision, repaired: FixedRow | None, config: CleanConfig
) -> _Outcome:
    original = sample_in(walked.row, id_=walked.id)
    if repaired is None:
        sample: Sample = reframe(original, decision.findings, seed=config.seed)
        kinds: tuple[str, ...] = ()
        said = decision.reason
    else:
        sample = replace(original, messages=repaired.messages)
        kinds = repaired.kinds
        said = f"{', '.join(kinds) or 'rewritten'}; {decision.reason}"
    row = rewrite_row(walked.row, sample.messages, id_=walked.id)
    twin = Twin(
        id=walked.id,
        kind=decision.state,
        rules=rules_in(decision.findings),
        fixes=kinds,
        original=original,
        rewritten=sample,
    )
    return _Outcome(replace(decision, reason=said), row, twin)
