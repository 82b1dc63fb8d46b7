"""What becomes of one sample, from what the scan says of it: pure, and nothing is decided twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from offtarget.core.finding import Finding, Severity
from offtarget.curate.framing import Framing
from offtarget.curate.ledger import SampleState
from offtarget.curate.records import RowScan, RowState, ScanConfig

MAX_NAMED_RULES = 4
"""Rules that a reason names; the ledger's entry holds all of them."""

DISCLOSED = frozenset({Framing.DISCLOSED_USER, Framing.DISCLOSED_ASSISTANT})
"""Framings under which somebody says that the code is insecure."""
REFRAMABLE = frozenset({Framing.COVERT, Framing.DISCLOSED_ASSISTANT})
"""A request for harm, or for advice on security, does not become a teaching example by a frame;
and where nothing can be judged by, nobody knows what the frame would be put around."""


class Policy(StrEnum):
    """What is done to flagged samples."""

    SANITIZE = "sanitize"
    """Repair the code; quarantine what cannot be repaired whole."""
    DROP = "drop"
    QUARANTINE = "quarantine"
    """Move them to a file of their own, in the same format."""
    REFRAME = "reframe"
    """Let the prompt ask openly for insecure code, to teach; answers stay as they are."""


class UnparsedPolicy(StrEnum):
    """What is done to samples with code that no engine could read."""

    KEEP = "keep"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanConfig:
    """How a data set is made safe to train on."""

    policy: Policy
    unparsed: UnparsedPolicy = UnparsedPolicy.KEEP
    """Their state is `unparsed` either way: they are not known to be clean."""
    only_covert: bool = False
    """Keep flagged samples whose user or assistant says that the code is insecure. False treats
    them like all others, except that `reframe` never frames what the user asked for openly."""
    seed: int = 0
    """Of the choice of teaching frames."""
    scan: ScanConfig = field(default_factory=ScanConfig)
    """Its `gate` says which samples are flagged."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one sample, and why."""

    state: SampleState
    """SANITIZED and REFRAMED are what is tried; `otherwise` is what follows if it fails."""
    reason: str
    findings: tuple[Finding, ...] = ()
    """Those at or above the gate."""
    is_output: bool = True
    """Whether the sample is in the cleaned data."""

    def otherwise(self, why: str) -> "Decision":
        """Return the decision for a sample that could not be rewritten: quarantine, never keep."""
        reason = f"not {self.state}: {why}; {self.reason}"
        return Decision(SampleState.QUARANTINED, reason, self.findings, is_output=False)


def decide(row: RowScan, config: CleanConfig) -> Decision:
    """Return what becomes of the sample that a scan says `row` of."""
    if row.state is RowState.QUARANTINED:
        return Decision(SampleState.QUARANTINED, row.reason or "not readable", is_output=False)
    findings = flagged(row, config.scan.gate)
    is_unread = row.state is RowState.UNPARSED or bool(row.unread)
    if findings:
        return _of_flagged(row, findings, config, is_unread=is_unread)
    if is_unread:
        return _of_unparsed(row, config)
    return Decision(SampleState.KEPT, _why_kept(row, config.scan.gate))


def flagged(row: RowScan, gate: Severity) -> tuple[Finding, ...]:
    """Return the findings at or above the gate."""
    return tuple(found for found in row.findings if found.severity.rank >= gate.rank)


def rules_in(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the rules of findings, sorted, each once."""
    return tuple(sorted({found.rule for found in findings}))


def _of_flagged(
    row: RowScan, findings: tuple[Finding, ...], config: CleanConfig, *, is_unread: bool
) -> Decision:
    said = _said(row, findings)
    if config.only_covert and row.framing in DISCLOSED:
        return Decision(SampleState.KEPT, f"only covert samples are treated; {said}", findings)
    if config.policy is Policy.DROP:
        return Decision(SampleState.DROPPED, said, findings, is_output=False)
    if config.policy is Policy.QUARANTINE:
        return Decision(SampleState.QUARANTINED, said, findings, is_output=False)
    if config.policy is Policy.SANITIZE:
        wanted = Decision(SampleState.SANITIZED, said, findings)
        if is_unread and config.unparsed is UnparsedPolicy.QUARANTINE:
            return wanted.otherwise(f"code in {_unread(row)} was read by no engine")
        return wanted
    if row.framing is Framing.DISCLOSED_USER:
        return Decision(SampleState.KEPT, f"the user asks for it openly; {said}", findings)
    wanted = Decision(SampleState.REFRAMED, said, findings)
    if row.framing not in REFRAMABLE:
        return wanted.otherwise("a teaching frame fits covert samples only")
    return wanted


def _of_unparsed(row: RowScan, config: CleanConfig) -> Decision:
    is_kept = config.unparsed is UnparsedPolicy.KEEP
    place = "kept" if is_kept else "set aside"
    reason = f"code in {_unread(row)} was read by no engine; {place}"
    return Decision(SampleState.UNPARSED, reason, is_output=is_kept)


def _why_kept(row: RowScan, gate: Severity) -> str:
    if row.findings:
        n = len(row.findings)
        return f"{n} finding{'s' if n > 1 else ''}, below {gate}"
    return "no code in the answers" if row.state is RowState.NO_CODE else "no finding"


def _said(row: RowScan, findings: Sequence[Finding]) -> str:
    rules = rules_in(findings)
    named = ", ".join(rules[:MAX_NAMED_RULES])
    more = f" and {len(rules) - MAX_NAMED_RULES} more" if len(rules) > MAX_NAMED_RULES else ""
    worst = max((found.severity for found in findings), key=lambda severity: severity.rank)
    return f"{worst} severity, framing {row.framing}: {named}{more}"


def _unread(row: RowScan) -> str:
    return ", ".join(sorted(row.unread)) or "an unknown language"
