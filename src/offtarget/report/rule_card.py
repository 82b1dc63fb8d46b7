"""One rule for a reader: what it looks for, and how often it was right on labelled code."""

from dataclasses import dataclass

from offtarget.codescan.measured import LabelledSet, Measured, Sides, measurement
from offtarget.codescan.rule import Rule
from offtarget.core.stats import wilson
from offtarget.report.numerals import count

CAUTION = (
    "Precision is the share of the pieces it fired on that are labelled vulnerable, with its 95 % "
    "Wilson interval. About half of the code of these sets is vulnerable: in data with fewer flaws "
    "the precision is lower. Labels are of a whole piece, and may be about another flaw in it."
)
UNMEASURED = "not measured: it fired on no labelled row"


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule fired on each side of some labelled pieces."""

    fired_vulnerable: int
    n_vulnerable: int
    fired_other: int
    n_other: int
    precision: float | None
    """In [0, 1]; None where it did not fire, or there is no other side."""
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MeasuredSet:
    """How often a rule fired on one published set."""

    set: str
    source: str
    """Repository, commit and path."""
    vulnerable: str
    """What its vulnerable side is."""
    other: str
    """What its other side is; empty if there is none."""
    held: Precision | None
    """Of the pieces that no rule was tuned on; None if there are none."""
    all: Precision


@dataclass(frozen=True, slots=True)
class RuleCard:
    """A rule with what was measured of it."""

    rule: Rule
    measured_on: str
    """The day."""
    measured: tuple[MeasuredSet, ...]
    """Sets on which it fired; empty if it fired on none."""
    command: str
    """Measures again."""
    caution: str = CAUTION


def rule_card(rule: Rule) -> RuleCard:
    """Return a rule with what was measured of it.

    Raises:
        DataError: If the packaged table of measurements is damaged.
    """
    table = measurement()
    measured = tuple(_measured(one) for one in table.of(rule.id))
    return RuleCard(rule, table.measured, measured, table.command)


def card_text(card: RuleCard) -> str:
    """Return the card as plain text of several lines."""
    rule = card.rule
    return (
        f"{rule.id}  {rule.title}\n"
        f"{rule.cwe}, {rule.language}, severity {rule.severity}, "
        f"confidence {rule.confidence:.2f}\n\n{rule.why}\n\n"
        f"bad\n{_indented(rule.bad)}\n\ngood\n{_indented(rule.good)}\n\n{_measured_text(card)}"
    )


def _measured(one: Measured) -> MeasuredSet:
    labelled = one.labelled
    return MeasuredSet(
        set=labelled.name,
        source=labelled.source,
        vulnerable=labelled.vulnerable,
        other=labelled.other,
        held=_precision(one.held, labelled.n_held, labelled) if labelled.n_held.n else None,
        all=_precision(one.all, labelled.n_all, labelled),
    )


def _precision(fired: Sides, of: Sides, labelled: LabelledSet) -> Precision:
    is_known = bool(fired.n and labelled.other)
    low, high = wilson(fired.n_vulnerable, fired.n) if is_known else (None, None)
    return Precision(
        fired_vulnerable=fired.n_vulnerable,
        n_vulnerable=of.n_vulnerable,
        fired_other=fired.n_other,
        n_other=of.n_other,
        precision=fired.n_vulnerable / fired.n if is_known else None,
        low=low,
        high=high,
    )


def _measured_text(card: RuleCard) -> str:
    if not card.measured:
        return f"measured precision\n    {UNMEASURED}"
    lines = [f"measured precision ({card.measured_on}, any severity)"]
    for one in card.measured:
        lines += [f"    {one.set}", f"      {one.source}"]
        if one.held is not None:
            lines.append(f"      held-out part: {_fired(one, one.held)}")
        lines.append(f"      all of it:     {_fired(one, one.all)}")
    return "\n".join([*lines, f"    {card.caution}", f"    Again: {card.command}"])


def _fired(one: MeasuredSet, found: Precision) -> str:
    vulnerable = f"{_of(found.fired_vulnerable, found.n_vulnerable)} {one.vulnerable}"
    if not one.other:
        return f"fired on {vulnerable}; no other side, so no precision"
    sides = f"{vulnerable}, {_of(found.fired_other, found.n_other)} {one.other}"
    if found.precision is None or found.low is None or found.high is None:
        return f"did not fire ({sides})"
    interval = f"[{found.low:.3f}, {found.high:.3f}]"
    return f"fired on {sides}: precision {found.precision:.3f} {interval}"


def _of(n: int, total: int) -> str:
    return f"{count(n)} of {count(total)}"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.strip("\n").splitlines())
