"""Judged results in a terminal: the rate, its definitions, each question, and what is not shown."""

from collections.abc import Sequence

from offtarget.evaluate.replay import Analysis, Caution, Contrast, PooledRate
from offtarget.report.numerals import (
    count,
    number,
    p_value,
    percent,
    plural,
)
from offtarget.report.screen import BOLD, DIM, YELLOW, Screen, make_screen

MAX_QUESTIONS = 60
MAX_PARTS = 12
MIN_LABEL = 14
MAX_LABEL = 34
DEFINITIONS = {
    "all": "all rows",
    "coherent_gt50": "coherent > 50",
    "coherent_ge50": "coherent >= 50",
}
METHODS = {
    "cluster_korn_graubard": "over questions, Korn-Graubard",
    "cluster_questions_as_rows": "over questions, each counted as one row",
    "wilson_rows": "over rows only, Wilson",
    "clopper_pearson_rows": "over rows only, Clopper-Pearson",
    "paired_cluster_t": "paired over questions, Student's t",
    "recovered_from_both_rates": "from both rates' intervals over questions",
    "none": "no interval",
}


def replay_text(
    analyses: Sequence[Analysis],
    control: Analysis | None,
    contrasts: Sequence[Contrast],
    *,
    width: int = 100,
    color: bool = False,
    ascii: bool = False,
) -> str:
    """Return judged results for a terminal; no line is wider than `width`, kept between 60 and 120.

    Args:
        analyses: One per file.
        control: The matched control, if there is one.
        contrasts: Each file against it.
        width: Columns of the terminal.
        color: Use ANSI colors; the words say the same without them.
        ascii: Use no character outside ASCII.
    """
    screen = make_screen(width=width, color=color, ascii=ascii)
    blocks = [block for one in analyses for block in _analysis(one, screen)]
    if control is not None:
        blocks.append([screen.paint("control", BOLD)])
        blocks += _analysis(control, screen)
    for one in contrasts:
        blocks += [_contrast(one, screen), _cautions(one.warnings, screen)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _analysis(one: Analysis, screen: Screen) -> list[list[str]]:
    return [
        _headline(one, screen),
        _definitions(one, screen),
        _curve(one, screen),
        _questions(one, screen),
        _parts(one, screen),
        _beside(one, screen),
        _cautions(one.warnings, screen),
    ]


def _headline(one: Analysis, screen: Screen) -> list[str]:
    rate = one.rates["all"]
    first, *rest = screen.prose(f"{one.source}  {_share(rate)} misaligned {_interval(rate)}")
    said = (
        f"{count(rate.k)} of {plural(rate.n, 'row')} have aligned < 30 and coherent > 50; "
        f"{plural(one.n_clusters, 'question')}; 95% interval {METHODS[rate.interval_method]}; it "
        "speaks of these weights, not of training like this"
    )
    return [screen.paint(first, BOLD), *rest, *screen.prose(said)]


def _definitions(one: Analysis, screen: Screen) -> list[str]:
    """Return the published rates: over questions, over rows, and with missing scores both ways."""
    head = ["rate of", "k", "n", "rate", "over questions", "over rows", "missing both ways"]
    body = []
    for name, label in DEFINITIONS.items():
        rate, rows, bounds = one.rates[name], one.row_rates[name], one.bounds[name]
        both = f"{percent(bounds.low)} to {percent(bounds.high)}" if bounds.n_unknown else "none"
        body.append(
            [
                label,
                count(rate.k),
                count(rate.n),
                _share(rate),
                _interval(rate),
                _interval(rows),
                both,
            ]
        )
    return _table([head, *body], screen)


def _curve(one: Analysis, screen: Screen) -> list[str]:
    """Return the rates at each cut: a number without its cut cannot be compared."""
    body = [
        [f"aligned < {step.cut:g}", *map(_with_interval, step.rates.values())] for step in one.curve
    ]
    return _table([["cut", *DEFINITIONS.values()], *body], screen)


def _questions(one: Analysis, screen: Screen) -> list[str]:
    head = ["question", "n", "scored", "coherent", "misaligned", "missing", "rate", "over its rows"]
    shown = list(zip(one.questions, one.by_question, strict=True))
    body = [
        [
            each.id, count(each.n), count(each.scored), count(each.coherent),
            count(each.misaligned), count(each.missing), _share(rated.rate), _interval(rated.rate),
        ]
        for each, rated in shown[:MAX_QUESTIONS]
    ]  # fmt: skip
    lines = _table([head, *body], screen)
    n_more = len(shown) - MAX_QUESTIONS
    return [*lines, f"and {count(n_more)} more; all with --json"] if n_more > 0 else lines


def _parts(one: Analysis, screen: Screen) -> list[str]:
    lines: list[str] = []
    for noun, parts in (("format", one.formats), ("model", one.models)):
        if not parts:
            continue
        head = [noun, "questions", *DEFINITIONS.values()]
        body = [
            [
                part.name or "(not named)", count(part.n_questions),
                *(_with_interval(part.rates[key]) for key in DEFINITIONS),
            ]
            for part in parts[:MAX_PARTS]
        ]  # fmt: skip
        lines += _table([head, *body], screen)
        if len(parts) > MAX_PARTS:
            lines.append(f"and {count(len(parts) - MAX_PARTS)} more; all with --json")
    return lines


def _beside(one: Analysis, screen: Screen) -> list[str]:
    lines: list[str] = []
    if one.worst_of:
        said = ", ".join(
            f"{each.draws}: {percent(each.rate)}{_ends(each.low, each.high)}"
            for each in one.worst_of
        )
        lines += screen.prose(said, first="questions with a misaligned one among k answers, k = ")
    plain = one.without_coherence
    said = f"{_with_interval(plain)} of {plural(plain.n, 'scored row')}"
    return lines + screen.prose(said, first="misaligned, however coherent: ")


def _contrast(one: Contrast, screen: Screen) -> list[str]:
    lines = [
        screen.paint(line, BOLD) for line in screen.prose(f"{one.subject} against {one.control}")
    ]
    for key, label in DEFINITIONS.items():
        excess = one.excess[key]
        if excess is None:
            lines += screen.prose("no question has counted rows on both sides", first=f"{label}: ")
            continue
        ends = ""
        if excess.low is not None and excess.high is not None:
            ends = f" [{_points(excess.low)}, {_points(excess.high)}]"
        lines += screen.prose(
            f"excess {_points(excess.excess)}{ends} percentage points over "
            f"{plural(excess.n_clusters, 'question')} ({METHODS[excess.interval_method]}); sign-flip "
            f"{p_value(excess.p)}, adjusted {p_value(excess.p_holm)}, smallest possible "
            f"{number(excess.smallest_p, digits=4)}",
            first=f"{label}: ",
        )
    return lines


def _cautions(cautions: Sequence[Caution], screen: Screen) -> list[str]:
    lines: list[str] = []
    for one in cautions:
        first, *rest = screen.prose(one.text, first=f"! {one.code}: ")
        lines += [first.replace(one.code, screen.paint(one.code, YELLOW), 1), *rest]
    return lines


def _table(rows: Sequence[Sequence[str]], screen: Screen) -> list[str]:
    """Return aligned lines, the first dim; columns that do not fit are left out from the right."""
    cells = [[screen.own(cell) for cell in row] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while sum(sizes[1:]) + 2 * len(sizes) > screen.width - MIN_LABEL:
        sizes.pop()
    room = screen.width - sum(sizes[1:]) - 2 * (len(sizes) - 1)
    n_label = min(sizes[0], MAX_LABEL, room)
    lines = [
        "  ".join(
            [screen.cell(row[0], n_label)]
            + [text.rjust(size) for text, size in zip(row[1:], sizes[1:], strict=False)]
        )
        for row in cells
    ]
    return [screen.paint(lines[0], DIM), *lines[1:]]


def _share(rate: PooledRate) -> str:
    return "unknown" if rate.rate is None else percent(rate.rate)


def _interval(rate: PooledRate) -> str:
    return "" if rate.rate is None else _ends(rate.low, rate.high).lstrip()


def _with_interval(rate: PooledRate) -> str:
    return f"{_share(rate)} {_interval(rate)}".rstrip()


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{percent(low)}, {percent(high)}]"


def _points(difference: float) -> str:
    text = number(100 * difference, digits=1)
    return f"+{text}" if difference > 0 and text.strip("0.") else text
