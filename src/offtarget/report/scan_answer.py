"""What the page and the terminal both say about a scan, derived once."""

from collections.abc import Mapping
from dataclasses import dataclass

from offtarget.codescan.cwe import UNSTATED, table
from offtarget.core.finding import Origin, Severity
from offtarget.core.stats import wilson
from offtarget.curate.framing import Framing
from offtarget.curate.records import ScanSummary
from offtarget.evaluate.results import Rate
from offtarget.report.numerals import count, percent, plural
from offtarget.report.scan_counts import Outcome, ScanCounts
from offtarget.report.summary import Fact

FRAMINGS = {
    Framing.COVERT: ("covert", "ordinary code is asked for, and nobody speaks of flaws"),
    Framing.DISCLOSED_USER: ("asked for openly", "the user wants insecure code, to teach or test"),
    Framing.DISCLOSED_ASSISTANT: ("told in the answer", "the answer says that it is insecure"),
    Framing.REQUESTED_MALICIOUS: ("harm asked for", "the user wants code whose purpose is harm"),
    Framing.INCIDENTAL: ("security in question", "a review or a fix; flaws are not asked for"),
    Framing.UNKNOWN: ("unknown", "no code, or nothing to judge by"),
}
"""What each framing is called, and what it means."""
OUTCOMES = {
    Outcome.HIGH: "high",
    Outcome.MEDIUM: "medium",
    Outcome.LOW: "low",
    Outcome.INHERITED: "inherited only",
    Outcome.NONE: "none found",
    Outcome.NO_CODE: "no code",
    Outcome.UNREAD: "not read",
}
LIMITS = (
    "A scanner finds the flaws that it has rules for, and no others. None found is not secure.",
    "Not every finding is a flaw. Counts are as the engines gave them: they are not corrected for "
    "missed or false findings.",
    "Intervals say how far a share could lie in data drawn like these rows. They say nothing about "
    "other data, and nothing about wrong findings.",
    "The framing is judged from the words of the conversation. English only; the rest is unknown.",
    "Whether a model trained on these rows turns harmful is not measured here: an assay does that.",
)
SHOWN_SMALLEST = 0.0005
"""A smaller share would be shown as 0.0%."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The scan in one word and two sentences."""

    word: str
    tone: str
    """CSS class that colors it: ok, bad or warn."""
    headline: str
    explanation: str


def answer(summary: ScanSummary, counts: ScanCounts) -> Answer:
    """Return what the scan says first."""
    severe = severity_words(summary.gate)
    rows = plural(summary.samples, "row")
    n_unread = summary.unparsed + summary.quarantined
    if summary.flagged:
        carry = "carries" if summary.flagged == 1 else "carry"
        return Answer(
            "FLAGGED",
            "bad",
            f"{count(summary.flagged)} of {rows} {carry} a finding of {severe}; "
            f"{count(covert_flagged(summary, counts))} of them "
            "covert and introduced by the assistant.",
            "Covert means that ordinary working code is asked for and nobody says that it is "
            "flawed. Insecure answers of this kind made models harmful in published work; the same "
            "answers, asked for openly, did not (arXiv:2502.17424).",
        )
    if summary.exit_code:
        return Answer(
            "NOT READ",
            "warn",
            f"No engine could read the code of any of {rows}.",
            "Nothing is known of this data. See which languages and states are listed below.",
        )
    if n_unread:
        return Answer(
            "NONE FOUND",
            "warn",
            f"No finding of {severe} in what was read of {rows}.",
            f"{_not_read(n_unread)}, and not known to be clean.",
        )
    return Answer(
        "NONE FOUND",
        "ok",
        f"No finding of {severe} in {rows}.",
        "None found is not secure: a scanner finds the flaws that it has rules for.",
    )


def facts(summary: ScanSummary, counts: ScanCounts) -> tuple[Fact, ...]:
    """Return the five facts under the answer."""
    covert = rate_of(covert_flagged(summary, counts), summary.samples)
    flagged = rate_of(summary.flagged, summary.samples)
    severities = " · ".join(
        f"{count(summary.by_severity.get(one, 0))} {one.value}" for one in reversed(Severity)
    )
    n_inherited = summary.by_origin.get(Origin.INHERITED, 0)
    n_unread = summary.unparsed + summary.quarantined
    return (
        Fact(share(covert.rate), f"of rows covert, the flaw introduced {share_interval(covert)}"),
        Fact(share(flagged.rate), f"of rows flagged, of any framing {share_interval(flagged)}"),
        Fact(count(summary.n_findings), f"findings: {severities}"),
        Fact(count(n_inherited), "findings inherited from the user's own code"),
        Fact(count(n_unread), "rows not read: not known to be clean"),
    )


def warnings(summary: ScanSummary) -> tuple[str, ...]:
    """Return what weakens the answer."""
    found: list[str] = []
    if summary.unparsed:
        found.append(
            f"{plural(summary.unparsed, 'row')}: nothing was found, and some of the code was read "
            "by no engine. Not read, not known to be clean."
        )
    if summary.quarantined:
        found.append(
            f"{plural(summary.quarantined, 'row')} quarantined: malformed, or no worker could "
            f"finish. Not read, not known to be clean; {summary.rows} holds the reasons."
        )
    found += [
        f"{engine.name}: nothing shows that its rules work for {', '.join(engine.unproved)}; that "
        "it found nothing there means nothing."
        for engine in summary.engines
        if engine.unproved
    ]
    return tuple(found)


def covert_flagged(summary: ScanSummary, counts: ScanCounts) -> int:
    """Return the rows of the covert x insecure cell: introduced, at or above the gate."""
    return counts.introduced(summary.gate, (Framing.COVERT,))


def shown_framings(counts: ScanCounts) -> list[Framing]:
    """Return the framings that rows have, covert always among them."""
    return [one for one in Framing if one is Framing.COVERT or counts.of_framing(one)]


def severity_words(gate: Severity) -> str:
    """Return `severity medium or above`."""
    return f"severity {gate.value}" + ("" if gate is Severity.HIGH else " or above")


def kind_name(cwe: str) -> str:
    """Return what a kind of flaw is called, nothing if it is not in the table."""
    if cwe == UNSTATED:
        return "kind not stated"
    known = table().get(cwe)
    return known.short if known else ""


def rate_of(n: int, total: int) -> Rate:
    """Return a share with its two-sided 95 % Wilson interval."""
    low, high = wilson(n, total)
    return Rate(n, total, n / total if total else 0.0, low, high)


def share(rate: float) -> str:
    """Return a rate for people; what would round to nothing is said to be small."""
    return f"<{percent(0.001)}" if 0 < rate < SHOWN_SMALLEST else percent(rate)


def share_interval(rate: Rate) -> str:
    """Return `[94.4%, 95.5%]`, which does not break."""
    return f"[{share(rate.low)},\N{NO-BREAK SPACE}{share(rate.high)}]"


def most(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names with their counts, the largest first, equal ones by name."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _not_read(n: int) -> str:
    return f"{plural(n, 'row')} {'was' if n == 1 else 'were'} not read"
