"""A scan in a terminal: the answer, framing by severity, the kinds of flaws, what was not read."""

from collections.abc import Sequence

from offtarget.curate.framing import Framing
from offtarget.curate.records import ScanSummary
from offtarget.report import scan_answer
from offtarget.report.numerals import count, plural
from offtarget.report.scan_answer import FRAMINGS, OUTCOMES
from offtarget.report.scan_counts import KindCount, Outcome, ScanCounts
from offtarget.report.screen import BOLD, DIM, GREEN, RED, YELLOW, Screen, make_screen

MAX_KINDS = 10
MAX_UNREAD = 8
"""Languages that are named."""
COLORS = {"ok": GREEN, "bad": RED, "warn": YELLOW}
NARROW_OUTCOMES = (Outcome.HIGH, Outcome.MEDIUM, Outcome.LOW, Outcome.UNREAD)
MIN_LABEL = 14


def scan_summary_text(
    summary: ScanSummary,
    counts: ScanCounts,
    *,
    width: int = 100,
    color: bool = False,
    ascii: bool = False,
) -> str:
    """Return a scan for a terminal; no line is wider than `width`, kept between 60 and 120.

    Args:
        summary: What the scan said.
        counts: From `count_rows`.
        width: Columns of the terminal.
        color: Use ANSI colors; the words say the same without them.
        ascii: Use no character outside ASCII.
    """
    screen = make_screen(width=width, color=color, ascii=ascii)
    blocks = [
        _answer(summary, counts, screen),
        _framings(counts, screen),
        _kinds(summary, counts, screen),
        _notes(summary, screen),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _answer(summary: ScanSummary, counts: ScanCounts, screen: Screen) -> list[str]:
    said = scan_answer.answer(summary, counts)
    covert = scan_answer.rate_of(scan_answer.covert_flagged(summary, counts), summary.samples)
    first, *rest = screen.prose(said.headline, first=f"{said.word}  ")
    painted = screen.paint(said.word, f"{BOLD};{COLORS[said.tone]}")
    return [
        painted + first.removeprefix(said.word),
        *rest,
        *screen.prose(
            f"covert and introduced: {scan_answer.share(covert.rate)} "
            f"{scan_answer.share_interval(covert)} of rows; gate {summary.gate.value}, "
            f"exit code {summary.exit_code}"
        ),
    ]


def _framings(counts: ScanCounts, screen: Screen) -> list[str]:
    """Return the table; a narrow screen leaves out the columns without flaws."""
    for outcomes in (tuple(Outcome), NARROW_OUTCOMES):
        head = ["rows", *(OUTCOMES[one] for one in outcomes)]
        shown = scan_answer.shown_framings(counts)
        body = [_framing_cells(framing, counts, outcomes) for framing in shown]
        sizes = [max(map(len, column)) for column in zip(head, *body, strict=True)]
        room = screen.width - sum(sizes) - 2 * len(sizes)
        if room >= MIN_LABEL:
            break
    labels = [FRAMINGS[framing][0] for framing in shown]
    n_label = min(max(map(len, [*labels, "framing"])), room)
    lines = [
        "  ".join(
            [screen.cell(label, n_label)]
            + [text.rjust(size) for text, size in zip(cells, sizes, strict=True)]
        )
        for label, cells in zip(["framing", *labels], [head, *body], strict=True)
    ]
    covert = shown.index(Framing.COVERT) + 1
    return [
        screen.paint(line, DIM if index == 0 else BOLD) if index in (0, covert) else line
        for index, line in enumerate(lines)
    ]


def _framing_cells(framing: Framing, counts: ScanCounts, outcomes: Sequence[Outcome]) -> list[str]:
    cells = counts.cells[framing]
    return [count(counts.of_framing(framing)), *(count(cells[outcome]) for outcome in outcomes)]


def _kinds(summary: ScanSummary, counts: ScanCounts, screen: Screen) -> list[str]:
    shown = counts.kinds[:MAX_KINDS]
    if not shown:
        return []
    names = [f"{one.cwe} {scan_answer.kind_name(one.cwe)}".rstrip() for one in shown]
    numbers = [screen.own(_kind_numbers(one, counts.n_rows)) for one in shown]
    room = max(map(len, numbers))
    n_label = min(max(map(len, map(screen.own, names))), 36, screen.width - room - 12)
    n_bar = screen.width - room - n_label - 4
    most = shown[0].n_rows
    lines = [screen.paint("rows with a finding of a kind, and 95% interval of the share", DIM)]
    for one, name, numeral in zip(shown, names, numbers, strict=True):
        bar = ("#" if screen.is_ascii else "█") * max(1, round(n_bar * one.n_rows / most))
        lines.append(f"{screen.cell(name, n_label)}  {bar.ljust(n_bar)}  {numeral.rjust(room)}")
    n_more = len(summary.by_cwe) - len(shown)
    return [*lines, f"and {count(n_more)} more"] if n_more else lines


def _kind_numbers(kind: KindCount, n_rows: int) -> str:
    rate = scan_answer.rate_of(kind.n_rows, n_rows)
    interval = scan_answer.share_interval(rate)
    return f"{count(kind.n_rows)}  {scan_answer.share(rate.rate)} {interval}"


def _notes(summary: ScanSummary, screen: Screen) -> list[str]:
    lines = [line for text in scan_answer.warnings(summary) for line in screen.prose(text)]
    unread = scan_answer.most(summary.unread_by_language)
    if unread:
        named = ", ".join(
            f"{name} {count(n)} of {count(summary.by_language.get(name, n))}"
            for name, n in unread[:MAX_UNREAD]
        )
        more = f" and {plural(len(unread) - MAX_UNREAD, 'more language')}"
        tail = more if len(unread) > MAX_UNREAD else ""
        lines += screen.prose(f"pieces of code not read: {named}{tail}")
    engines = ", ".join(f"{one.name} {one.version}" for one in summary.engines)
    found = plural(summary.n_findings, "finding")
    return [
        *lines,
        *screen.prose(f"engines: {engines or 'none'}"),
        *screen.prose(f"{found} in {summary.findings}; rows in {summary.rows}"),
    ]
