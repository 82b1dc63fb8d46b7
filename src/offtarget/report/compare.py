"""Two assays side by side, and whether they may be compared at all."""

from collections.abc import Sequence

from offtarget.evaluate.results import ArmResult, Results
from offtarget.report.numerals import MINUS, NONE, interval, number, signed, signed_interval
from offtarget.report.summary import ordered_arms
from offtarget.report.text import ascii_text, clip, pad, safe_text, wrap

MIN_WIDTH, MAX_WIDTH = 90, 120
N_LABEL = 22
N_DIFFERENCE = 12
MAX_TEXT = 200


def render_comparison(a: Results, b: Results, *, width: int = 100, ascii: bool = False) -> str:
    """Return a table of two assays for a terminal: verdict, excess and every arm's margin.

    Differences are `b` minus `a`, without an interval: the runs share no resampling. What differs
    in plan, model or suite is said, because margins of two suites are not on one scale. Lines take
    `width` columns, kept between 90 and 120.
    """
    width = max(MIN_WIDTH, min(width, MAX_WIDTH))
    n_value = (width - N_LABEL - N_DIFFERENCE - 6) // 2
    arms = [("margin, nats/token", "", "", ""), *_arm_rows(a, b)]
    rows = [("", a.run, b.run, "difference"), *_headline_rows(a, b), ("", "", "", ""), *arms]
    lines = [_line(row, n_value, ascii=ascii) for row in rows]
    lines.insert(1, "-" * width)
    notes = [_own(note, ascii=ascii) for note in _notes(a, b)]
    return "\n".join([*lines, "", *(line for note in notes for line in wrap(note, width))]) + "\n"


def _headline_rows(a: Results, b: Results) -> list[tuple[str, str, str, str]]:
    return [
        ("verdict", a.verdict.value, b.verdict.value, _same(a.verdict, b.verdict)),
        ("excess", _excess(a), _excess(b), signed(b.excess.estimate - a.excess.estimate)),
        _plain_row("tolerance", a.tolerance, b.tolerance),
        _plain_row("smallest detectable", a.smallest_detectable, b.smallest_detectable),
        ("plan", *_hashes(a.provenance.plan_sha256, b.provenance.plan_sha256)),
        ("model", *_hashes(a.provenance.model_sha256, b.provenance.model_sha256)),
        ("suite", *_hashes(a.provenance.suite_sha256, b.provenance.suite_sha256)),
    ]


def _arm_rows(a: Results, b: Results) -> list[tuple[str, str, str, str]]:
    of_a = {arm.name: arm for arm in ordered_arms(a)}
    of_b = {arm.name: arm for arm in ordered_arms(b)}
    rows = []
    for name in {**of_a, **of_b}:
        one, other = of_a.get(name), of_b.get(name)
        difference = NONE if one is None or other is None else signed(_shift(one, other))
        rows.append((f"  {name}", _margin(one), _margin(other), difference))
    return rows


def _notes(a: Results, b: Results) -> list[str]:
    notes = []
    if a.provenance.suite_sha256 != b.provenance.suite_sha256:
        notes.append("The suites differ: margins and excess are not on one scale.")
    if a.provenance.model_sha256 != b.provenance.model_sha256:
        notes.append("The models differ: compare verdicts and tolerances, not margins.")
    if not notes:
        notes.append("Same model and suite: margins are on one scale.")
    if a.provenance.plan_sha256 == b.provenance.plan_sha256:
        notes.append("Same plan: on one machine the numbers should be equal.")
    return notes


def _plain_row(label: str, a: float, b: float) -> tuple[str, str, str, str]:
    return (label, number(a), number(b), signed(b - a))


def _excess(results: Results) -> str:
    excess = results.excess
    return f"{signed(excess.estimate)} {signed_interval(excess.low, excess.high)}"


def _margin(arm: ArmResult | None) -> str:
    if arm is None:
        return "not measured"
    return f"{number(arm.margin.mean)} {interval(arm.margin.low, arm.margin.high)}"


def _shift(a: ArmResult, b: ArmResult) -> float:
    return b.margin.mean - a.margin.mean


def _hashes(a: str, b: str) -> tuple[str, str, str]:
    return a[:12], b[:12], _same(a, b)


def _same(a: str, b: str) -> str:
    return "same" if a == b else "differs"


def _line(row: Sequence[str], n_value: int, *, ascii: bool) -> str:
    widths = (N_LABEL, n_value, n_value, N_DIFFERENCE)
    ellipsis = "..." if ascii else "…"
    texts = [
        pad(clip(_own(text, ascii=ascii), size, ellipsis=ellipsis), size)
        for text, size in zip(row, widths, strict=True)
    ]
    return "  ".join(texts).rstrip()


def _own(text: str, *, ascii: bool) -> str:
    text = safe_text(text, limit=MAX_TEXT)
    return ascii_text(text.replace(MINUS, "-")) if ascii else text
