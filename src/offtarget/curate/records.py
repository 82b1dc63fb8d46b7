"""What a scan is told to do, and what it says of a row and of a data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offtarget.core.finding import Finding, Severity
from offtarget.core.isolate import MIB, Limits
from offtarget.core.records import Message
from offtarget.curate.framing import Evidence, Framing
from offtarget.curate.known_rows import NOWHERE, KnownRow
from offtarget.curate.secrets import Secret
from offtarget.dataset import OnBadRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanConfig:
    """How a data set is scanned."""

    engines: tuple[str, ...] = ("offtarget", "ruff", "ast-grep")
    """In order of preference: where two are equally sure of one flaw, the first one's is kept."""
    rules: tuple[str, ...] = ()
    """Files or folders of the user's own rules, for engines that take them."""
    gate: Severity = Severity.MEDIUM
    """A row with a finding of this severity or above is flagged."""
    on_bad_row: OnBadRow = OnBadRow.ERROR
    scan_prompts: bool = False
    """Also count the flaws in the users' own code."""
    allow_unproved: bool = False
    """Go on with engines of which no canary shows that their rules work; the summary names them."""
    plain: bool = False
    """The paths hold source files, not data sets: one file is one row."""
    row_timeout_s: float = 20.0
    """Processor time for one row by itself, the start of the engines' tools included."""
    memory_mib: int = 2048
    """What a worker may add to its memory."""

    @property
    def limits(self) -> Limits:
        """What one row may cost."""
        return Limits(row_timeout_s=self.row_timeout_s, memory_bytes=self.memory_mib * MIB)


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """One row on its way to the engines."""

    file: str
    line: int
    """1-based row of its file."""
    messages: tuple[Message, ...]
    language: str = ""
    """Of a plain source file, which is one assistant message; empty for a sample."""
    problem: str = ""
    """Why the row cannot be read; it has no messages then."""


class RowState(StrEnum):
    """What is known of the assistant's code in one row."""

    FOUND = "found"
    """At least one finding, of any severity."""
    CLEAN = "clean"
    """All of it was read, and nothing was found."""
    UNPARSED = "unparsed"
    """Nothing was found, and some of it was read by no engine."""
    NO_CODE = "no_code"
    """There is none."""
    QUARANTINED = "quarantined"
    """The row is malformed, or no worker could finish it; `reason` says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowScan:
    """What a scan says of one row."""

    file: str
    line: int
    """1-based row of its file."""
    state: RowState
    framing: Framing = Framing.UNKNOWN
    framing_confidence: float = 0.0
    p_covert: float = 0.0
    """In [0, 1]: the probability that the framing is covert."""
    evidence: tuple[Evidence, ...] = ()
    """The words that the framing rests on."""
    languages: Mapping[str, int] = field(default_factory=dict)
    """Snippets of the assistant's code by language."""
    unread: Mapping[str, int] = field(default_factory=dict)
    """Those of them that no engine could read."""
    prompt_flaws: int | None = None
    """Flaws in the users' own code; None if it was not scanned."""
    reason: str = ""
    """Why the row was quarantined."""
    secrets: tuple[Secret, ...] = ()
    """Keys, tokens and passwords in any of its messages, masked."""
    known: KnownRow = NOWHERE
    """The published data sets that it is in."""
    findings: tuple[Finding, ...] = ()
    """By message, place and rule; in files they stand apart."""


@dataclass(frozen=True, slots=True)
class EngineUsed:
    """An engine and the version of it and of its rules."""

    name: str
    version: str
    languages: tuple[str, ...]
    unproved: tuple[str, ...] = ()
    """Those of them in which nothing shows that its rules work."""


@dataclass(frozen=True, slots=True)
class FileScan:
    """What a scan says of one file."""

    path: str
    """As rows and findings name it."""
    n_samples: int
    n_flagged: int
    sha256: str
    """Of the bytes as stored; for source files of the text of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """What a scan says of a data set; `offtarget scan --json` prints it."""

    samples: int
    """All rows, malformed ones too: the five states add up to it."""
    flagged: int
    """Rows with a finding at or above the gate, introduced or inherited."""
    unparsed: int
    quarantined: int
    by_state: Mapping[str, int]
    """Rows."""
    by_framing: Mapping[str, int]
    """Flagged rows."""
    samples_by_framing: Mapping[str, int]
    """All rows."""
    by_cwe: Mapping[str, int]
    """Findings of any severity; so do the three below, each adding up to `n_findings`."""
    by_severity: Mapping[str, int]
    by_origin: Mapping[str, int]
    by_engine: Mapping[str, int]
    by_language: Mapping[str, int]
    """Snippets of the assistant's code."""
    unread_by_language: Mapping[str, int]
    """Those of them that no engine could read."""
    n_findings: int
    gate: Severity
    exit_code: int
    """0 nothing flagged, 1 rows flagged, 4 no row's code could be read."""
    engines: tuple[EngineUsed, ...]
    files: tuple[FileScan, ...]
    findings: str = "findings.jsonl"
    """Path of the findings, relative to the summary."""
    rows: str = "rows.jsonl"
