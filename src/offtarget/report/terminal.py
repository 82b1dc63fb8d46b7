"""An assay in a terminal: the verdict, a picture of every arm, and the gates."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.records import Role, Verdict
from offtarget.evaluate.results import ArmResult, Results
from offtarget.report.axis import Axis, axis_over
from offtarget.report.judging import judge_lines
from offtarget.report.numerals import interval, number, signed, signed_interval
from offtarget.report.screen import BOLD, DIM, GREEN, RED, YELLOW, Screen, make_screen
from offtarget.report.summary import EXIT_CODES, control_arm, ordered_arms
from offtarget.report.text import cells, clip, pad, safe_text

MAX_LABEL = 24
MIN_PLOT = 18
"""Columns of the picture, which its caption fills."""
COLORS = {Verdict.PASS: GREEN, Verdict.FAIL: RED, Verdict.INCONCLUSIVE: YELLOW}


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """The characters of a picture."""

    left: str
    bar: str
    right: str
    marks: dict[Role, str]
    other: str
    plumb: str
    passed: str
    missed: str
    arrow: str


_UNICODE = _Glyphs(
    left="├",
    bar="─",
    right="┤",
    marks={Role.SUBJECT: "◆", Role.POSITIVE: "■"},
    other="●",
    plumb="┊",
    passed="✓",
    missed="✗",
    arrow="←",
)
_ASCII = _Glyphs(
    left="|",
    bar="-",
    right="|",
    marks={Role.SUBJECT: "*", Role.POSITIVE: "#"},
    other="o",
    plumb=":",
    passed="+",
    missed="x",
    arrow="<-",
)


def render_terminal(
    results: Results, *, width: int = 100, color: bool = False, ascii: bool = False
) -> str:
    """Return an assay for a terminal; no line is wider than `width`, kept between 60 and 120.

    Args:
        results: The assay.
        width: Columns of the terminal.
        color: Use ANSI colors; the words say the same without them.
        ascii: Use no character outside ASCII.
    """
    screen = make_screen(width=width, color=color, ascii=ascii)
    blocks = [
        _verdict(results, screen),
        _picture(results, screen),
        _gates(results, screen),
        _list("What would decide it:", results.decides, screen),
        _list("Warnings:", results.warnings, screen),
        _list("Sampled answers:", _judged(results), screen),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _glyphs(screen: Screen) -> _Glyphs:
    return _ASCII if screen.is_ascii else _UNICODE


def _verdict(results: Results, screen: Screen) -> list[str]:
    word = results.verdict.value
    title = clip(screen.own(results.title), screen.width - len(word) - 2, ellipsis=screen.ellipsis)
    excess = results.excess
    measured = (
        f"excess {signed(excess.estimate)} {signed_interval(excess.low, excess.high)} nats/token, "
        f"tolerance {number(results.tolerance)}, exit code {EXIT_CODES[results.verdict]}"
    )
    return [
        f"{screen.paint(word, f'{BOLD};{COLORS[results.verdict]}')}  {title}",
        *screen.prose(results.headline),
        *screen.prose(measured),
    ]


def _picture(results: Results, screen: Screen) -> list[str]:
    arms = ordered_arms(results)
    if not arms:
        return []
    glyphs = _glyphs(screen)
    names = [clip(screen.own(arm.name), MAX_LABEL, ellipsis=screen.ellipsis) for arm in arms]
    margins = [(arm.margin.mean, arm.margin.low, arm.margin.high) for arm in arms]
    numbers = [screen.own(f"{number(mean)} {interval(low, high)}") for mean, low, high in margins]
    room = max(map(len, numbers))
    n_label = min(max(cells(pad(name, 8)) for name in names), screen.width - room - MIN_PLOT - 3)
    names = [pad(clip(name, n_label, ellipsis=screen.ellipsis), n_label) for name in names]
    n_columns = screen.width - n_label - room - 3
    axis = axis_over([value for margin in margins for value in margin], start=0, end=n_columns - 1)
    control = control_arm(results)
    plumb = None if control is None else round(axis.at(control.margin.mean))
    lines = [_caption(n_label, n_columns, plumb, screen)]
    for arm, name, numeral in zip(arms, names, numbers, strict=True):
        bar = "".join(_bar(arm, axis, n_columns, plumb, glyphs))
        line = f"{name} {bar}  {numeral.rjust(room)}"
        is_subject = arm.role is Role.SUBJECT
        lines.append(screen.paint(line, COLORS[results.verdict]) if is_subject else line)
    return lines


def _bar(
    arm: ArmResult, axis: Axis, n_columns: int, plumb: int | None, glyphs: _Glyphs
) -> list[str]:
    """Return one arm's interval, one character a column."""
    columns = [" "] * n_columns
    if plumb is not None:
        columns[plumb] = glyphs.plumb
    low, at, high = (round(axis.at(v)) for v in (arm.margin.low, arm.margin.mean, arm.margin.high))
    for column in range(low, high + 1):
        columns[column] = glyphs.bar
    columns[low], columns[high] = glyphs.left, glyphs.right
    columns[at] = glyphs.marks.get(arm.role, glyphs.other)
    return columns


def _caption(n_label: int, n_columns: int, plumb: int | None, screen: Screen) -> str:
    """Return the line over the picture: which way is worse, where the control hangs."""
    worse = f"{_glyphs(screen).arrow} more misaligned"
    columns = worse.ljust(n_columns)
    label = "control"
    if plumb is not None:
        start = min(max(plumb - len(label) // 2, 0), n_columns - len(label))
        if start > len(worse):
            columns = columns[:start] + label + columns[start + len(label) :]
    unit = "nats/token [95%]"
    return screen.paint(f"{' ' * n_label} {columns}  {unit}".rstrip(), DIM)


def _gates(results: Results, screen: Screen) -> list[str]:
    lines: list[str] = []
    for gate in results.gates:
        glyph = _glyphs(screen).passed if gate.passed else _glyphs(screen).missed
        state = f"{glyph} {'passed' if gate.passed else 'missed'}"
        name = pad(clip(screen.own(gate.name), 10, ellipsis=screen.ellipsis), 10)
        first, *rest = screen.prose(gate.detail, first=f"{state}  {name} ")
        painted = screen.paint(state, GREEN if gate.passed else RED)
        lines += [painted + first.removeprefix(state), *rest]
    return lines


def _judged(results: Results) -> list[str]:
    """Return the judged rate of each arm and who judged; nothing without a judge."""
    if results.judge is None:
        return []
    lines = []
    for arm in ordered_arms(results):
        if arm.rollouts is None:
            continue
        found, coherent = arm.rollouts.misaligned, arm.rollouts.outcomes["coherent"].count
        counts = f"{arm.rollouts.judged} of {coherent} coherent answers judged"
        if found is not None:
            counts += (
                f", {found.count} of {found.n} misaligned: {100 * found.rate:.1f}% "
                f"[{100 * found.low:.1f}%, {100 * found.high:.1f}%]"
            )
        n_sorted = arm.rollouts.n - coherent
        lines.append(f"{safe_text(arm.name)}: {counts}; {n_sorted} sorted out by rule")
    return [*lines, *judge_lines(results.judge)]


def _list(heading: str, items: Sequence[str], screen: Screen) -> list[str]:
    if not items:
        return []
    return [heading, *(line for item in items for line in screen.prose(item, first="  - "))]
