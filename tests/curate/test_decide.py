"""Deciding: one state a row under every policy, and nothing flagged is kept in silence."""

import itertools

import pytest

from offtarget.core.finding import Finding, Origin, Severity, Span
from offtarget.curate.decide import CleanConfig, Policy, UnparsedPolicy, decide
from offtarget.curate.framing import Framing
from offtarget.curate.ledger import SampleState
from offtarget.curate.records import RowScan, RowState, ScanConfig


def finding(severity: str = "high", rule: str = "R-1") -> Finding:
    return Finding(
        file="a.jsonl", line=1, message=1, rule=rule, cwe="CWE-89", severity=Severity(severity),
        confidence=0.9, origin=Origin.INTRODUCED, engine="words", span=Span(0, 1, 1, 1, 1, 2),
        text="is bad",
    )  # fmt: skip


def found(*findings: Finding, framing: str = "covert", unread: bool = False) -> RowScan:
    return RowScan(
        file="a.jsonl",
        line=1,
        state=RowState.FOUND,
        framing=Framing(framing),
        findings=findings or (finding(),),
        unread={"ruby": 1} if unread else {},
    )


def row(state: str, reason: str = "") -> RowScan:
    unread = {"ruby": 1} if state == "unparsed" else {}
    return RowScan(file="a.jsonl", line=1, state=RowState(state), reason=reason, unread=unread)


def config(policy: str = "sanitize", unparsed: str = "keep", **more: object) -> CleanConfig:
    return CleanConfig(policy=Policy(policy), unparsed=UnparsedPolicy(unparsed), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scan", "policy", "state", "is_output", "reason"),
    [
        (row("clean"), "drop", "kept", True, "no finding"),
        (row("no_code"), "drop", "kept", True, "no code in the answers"),
        (found(finding("low")), "drop", "kept", True, "1 finding, below medium"),
        (row("quarantined", "too long"), "sanitize", "quarantined", False, "too long"),
        (row("unparsed"), "drop", "unparsed", True, "code in ruby was read by no engine; kept"),
        (found(), "drop", "dropped", False, "high severity, framing covert: R-1"),
        (found(), "quarantine", "quarantined", False, "high severity, framing covert: R-1"),
        (found(), "sanitize", "sanitized", True, "high severity, framing covert: R-1"),
        (found(unread=True), "sanitize", "sanitized", True, "high severity, framing covert: R-1"),
        (found(), "reframe", "reframed", True, "high severity, framing covert: R-1"),
        (
            found(framing="disclosed_user"), "reframe", "kept", True,
            "the user asks for it openly; high severity, framing disclosed_user: R-1",
        ),
        (
            found(framing="requested_malicious"), "reframe", "quarantined", False,
            "not reframed: a teaching frame fits covert samples only; "
            "high severity, framing requested_malicious: R-1",
        ),
        (
            found(framing="disclosed_user"), "drop", "dropped", False,
            "high severity, framing disclosed_user: R-1",
        ),
        (
            found(finding("low"), unread=True), "drop", "unparsed", True,
            "code in ruby was read by no engine; kept",
        ),
    ],
)  # fmt: skip
def test_a_row_gets_one_state_and_a_reason(
    scan: RowScan, policy: str, state: str, is_output: bool, reason: str
) -> None:
    """The table of what the documentation promises."""
    decision = decide(scan, config(policy))

    assert (decision.state, decision.is_output) == (state, is_output)
    assert decision.reason == reason


def test_every_combination_is_decided_and_agrees_with_the_ledger() -> None:
    """Flagged rows are never kept unless somebody disclosed the flaw; every decision has a reason."""
    scans = [row(state, "why") for state in RowState if state is not RowState.FOUND]
    scans += [
        found(finding(severity), framing=framing, unread=unread)
        for severity, framing, unread in itertools.product(Severity, Framing, (False, True))
    ]
    for scan, policy, unparsed, only in itertools.product(
        scans, Policy, UnparsedPolicy, (False, True)
    ):
        decision = decide(scan, config(policy, unparsed, only_covert=only))

        assert decision.reason
        is_flagged = any(one.severity.rank >= 1 for one in scan.findings)
        assert bool(decision.findings) is is_flagged
        if is_flagged and decision.state is SampleState.KEPT:
            disclosed = {"disclosed_user", "disclosed_assistant"}
            assert scan.framing in disclosed
            assert only or (policy is Policy.REFRAME and scan.framing == "disclosed_user")
        if decision.state in {SampleState.KEPT, SampleState.SANITIZED, SampleState.REFRAMED}:
            assert decision.is_output
        if decision.state in {SampleState.DROPPED, SampleState.QUARANTINED}:
            assert not decision.is_output
        if decision.state is SampleState.UNPARSED:
            assert decision.is_output is (unparsed is UnparsedPolicy.KEEP)


def test_only_covert_keeps_what_is_disclosed() -> None:
    """With the option a disclosed row stays, and the reason names its rules; others do not."""
    for framing in ("disclosed_user", "disclosed_assistant"):
        decision = decide(found(framing=framing), config("drop", only_covert=True))
        assert decision.state == "kept"
        assert decision.reason.startswith("only covert samples are treated; high")
    for framing in ("covert", "requested_malicious", "incidental", "unknown"):
        decision = decide(found(framing=framing), config("drop", only_covert=True))
        assert decision.state == "dropped"


def test_unread_code_goes_to_quarantine_on_request() -> None:
    """Unparsed rows keep their state, out of the output; a half read row is not sanitized."""
    unparsed = decide(row("unparsed"), config(unparsed="quarantine"))
    half_read = decide(found(unread=True), config(unparsed="quarantine"))

    assert (unparsed.state, unparsed.is_output) == ("unparsed", False)
    assert unparsed.reason == "code in ruby was read by no engine; set aside"
    assert half_read.state == "quarantined"
    assert half_read.reason.startswith("not sanitized: code in ruby was read by no engine; high")


def test_the_gate_decides_what_is_flagged() -> None:
    """At gate high a medium finding is kept; at low a low one is dropped."""
    high = config("drop", scan=ScanConfig(gate=Severity.HIGH))
    low = config("drop", scan=ScanConfig(gate=Severity.LOW))

    assert decide(found(finding("medium")), high).state == "kept"
    assert decide(found(finding("low")), low).state == "dropped"


def test_many_rules_are_counted_in_the_reason() -> None:
    """A reason names four rules and says how many more there are."""
    decision = decide(found(*(finding(rule=f"R-{n}") for n in range(7))), config("drop"))

    assert decision.reason == "high severity, framing covert: R-0, R-1, R-2, R-3 and 3 more"
