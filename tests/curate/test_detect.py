"""Detection: flaws get their row, message, place and origin, and no row is clean unread."""

from collections.abc import Sequence

import pytest

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Flaw
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Finding, Origin, Severity, Span
from offtarget.core.records import Message
from offtarget.curate.detect import SpanFinder, detect_rows, merge_flaws
from offtarget.curate.framing import Framing
from offtarget.curate.records import PlacedRow, RowState

from .conftest import MakeRow
from .engine_stub import WordEngine


def fenced(code: str) -> str:
    return f"Here it is.\n```python\n{code}\n```\n"


def findings(row: PlacedRow, engines: Sequence[Engine] | None = None) -> tuple[Finding, ...]:
    (scan,) = detect_rows([row], engines or [WordEngine()])
    return scan.findings


def flaw(start: int, end: int, cwe: str = "CWE-89", **changes: object) -> Flaw:
    fields = {"rule": "r", "confidence": 0.9, "engine": "e", "severity": Severity.LOW, **changes}
    return Flaw(cwe=cwe, start=start, end=end, text="t", **fields)  # type: ignore[arg-type]


def test_a_finding_says_where_in_the_message_it_stands(row: MakeRow) -> None:
    """Offsets, lines and columns count in the whole message, and so do those of the trace."""
    text = fenced("x = 1\nif x:\n    bad(x)")

    (found,) = findings(row("Write it.", text, line=7))

    assert text[found.span.start : found.span.end] == "bad(x)"
    assert found.span == Span(text.index("bad"), text.index("bad") + 6, 5, 5, 5, 11)
    assert found.trace[0].span == Span(text.index("x = 1"), text.index("x = 1") + 1, 3, 1, 3, 2)
    assert (found.file, found.line, found.message) == ("train.jsonl", 7, 1)
    assert (found.rule, found.cwe, found.engine) == ("words-bad", "CWE-89", "words")


def test_findings_of_later_turns_name_their_message(row: MakeRow) -> None:
    """Every assistant turn is scanned, each by its own index."""
    found = findings(row("One?", fenced("bad(1)"), "Two?", fenced("worse(2)")))

    assert [(f.message, f.rule) for f in found] == [(1, "words-bad"), (3, "words-worse")]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (fenced("bad(1)"), RowState.FOUND),
        (fenced("good(1)"), RowState.CLEAN),
        (fenced("%% nonsense"), RowState.UNPARSED),
        (fenced("good(1)") + fenced("%% nonsense"), RowState.UNPARSED),
        (fenced("bad(1)") + fenced("%% nonsense"), RowState.FOUND),
        ("```ruby\nputs bad(1)\n```\n", RowState.UNPARSED),
        ("No, I would rather not.", RowState.NO_CODE),
    ],
)
def test_a_row_with_unread_code_is_never_clean(answer: str, state: RowState, row: MakeRow) -> None:
    """Clean means that all of the assistant's code was read."""
    (scan,) = detect_rows([row("Write it.", answer)], [WordEngine()])

    assert scan.state is state
    assert bool(scan.unread) == ("%%" in answer or "ruby" in answer)


def test_a_row_whose_code_was_read_in_part_is_not_clean(row: MakeRow) -> None:
    """Another engine that read all of it does not make up for ours, which left a part out."""
    deep = "x = " + "[" * 300 + "os.system(a)" + "]" * 300
    engines: list[Engine] = [PythonEngine(), WordEngine()]

    (hidden,) = detect_rows([row("Write it.", fenced(deep))], engines)
    (found,) = detect_rows([row("Write it.", fenced(deep + "\nworse(1)"))], engines)

    assert (hidden.state, hidden.unread) == (RowState.UNPARSED, {"python": 1})
    assert (found.state, found.unread) == (RowState.FOUND, {"python": 1})


def test_code_that_the_user_brought_is_inherited(row: MakeRow) -> None:
    """The same line, differently indented, in an earlier prompt; a later prompt does not count."""
    prompt = "Finish this:\n" + fenced("def f(x):\n\tbad( x )")
    answer = fenced("def f(x):\n    bad( x )\n    worse(x)")

    found = findings(row(prompt, answer))
    late = findings(row("Write it.", answer, prompt, "Done."))

    assert [f.origin for f in found] == [Origin.INHERITED, Origin.INTRODUCED]
    assert [f.origin for f in late] == [Origin.INTRODUCED, Origin.INTRODUCED]


def test_the_users_own_flaws_are_counted_not_reported(row: MakeRow) -> None:
    """What stands in a prompt alone is no finding; without being asked nobody looks."""
    asked = row("Repair this:\n" + fenced("bad(1)\nbad(2)"), fenced("good(1)"))

    (scan,) = detect_rows([asked], [WordEngine()], scan_prompts=True)
    (quick,) = detect_rows([asked], [WordEngine()])

    assert (scan.prompt_flaws, scan.findings, scan.state) == (2, (), RowState.CLEAN)
    assert quick.prompt_flaws is None


def test_two_engines_on_one_flaw_make_one_finding(row: MakeRow) -> None:
    """The surer engine's is kept; where both are equally sure, the first engine's."""
    asked = row("Write it.", fenced("bad(1)\nworse(2)"))

    sure = findings(asked, [WordEngine("a", 0.5), WordEngine("b", 0.8)])
    equal = findings(asked, [WordEngine("a"), WordEngine("b")])

    assert [f.engine for f in sure] == ["b", "b"]
    assert [f.engine for f in equal] == ["a", "a"]


def test_flaws_are_merged_by_kind_and_line() -> None:
    """Wider kinds cover narrower ones; other kinds, other lines and other calls stay."""
    code = "aaaa bbbb\ncccc\n"
    first, same_line = flaw(0, 4), flaw(5, 9, rule="s")

    assert merge_flaws([[first], [same_line]], code) == [first]
    assert merge_flaws([[first, same_line]], code) == [first, same_line]
    assert merge_flaws([[first, flaw(1, 3, rule="s")]], code) == [first]
    assert len(merge_flaws([[first], [flaw(0, 4, cwe="CWE-79")]], code)) == 2
    assert len(merge_flaws([[first], [flaw(10, 14)]], code)) == 2
    narrow = flaw(0, 9, cwe="CWE-564", confidence=0.95)
    assert merge_flaws([[first], [narrow]], code) == [narrow]
    assert merge_flaws([[flaw(0, 14)], [flaw(10, 14, rule="s")]], code) == [flaw(0, 14)]


def test_equal_snippets_reach_an_engine_once(row: MakeRow) -> None:
    """A shard of a thousand equal answers costs one."""
    engine = WordEngine()
    asked = [row("Write it.", fenced("bad(1)"), line=line) for line in range(1, 9)]

    scans = detect_rows(asked, [engine])

    assert engine.n_seen == 1 + 4  # canaries
    assert [len(scan.findings) for scan in scans] == [1] * 8
    assert [scan.line for scan in scans] == list(range(1, 9))


def test_a_row_does_not_depend_on_its_neighbors(row: MakeRow) -> None:
    """Rows scanned together and one by one give the same records."""
    texts = ("bad(1)", "good(1)", "%%", "worse(1)\nbad(2)")
    asked = [row("Write it.", fenced(text), line=n) for n, text in enumerate(texts, 1)]
    engines = [WordEngine("a"), WordEngine("b", 0.95)]

    together = detect_rows(asked, engines)

    assert together == [detect_rows([one], engines)[0] for one in asked]


def test_framing_is_part_of_a_rows_record(row: MakeRow) -> None:
    """An openly asked-for flaw is told from a covert one."""
    open_, covert = (
        row("Write insecure code on purpose, to teach a security class.", fenced("bad(1)")),
        row("Write a Python function that saves a file.", fenced("bad(1)")),
    )

    scans = detect_rows([open_, covert], [WordEngine()])

    assert [scan.framing for scan in scans] == [Framing.DISCLOSED_USER, Framing.COVERT]


def test_source_files_and_bad_rows_have_records_too() -> None:
    """A plain file is one message of code; a malformed row is quarantined with its problem."""
    plain = PlacedRow("src/a.py", 1, (Message("assistant", "bad(1)\n"),), language="python")
    broken = PlacedRow("train.jsonl", 3, (), problem="not JSON")

    source, bad = detect_rows([plain, broken], [WordEngine()])

    assert (source.state, source.framing) == (RowState.FOUND, Framing.UNKNOWN)
    assert source.findings[0].span == Span(0, 6, 1, 1, 1, 7)
    assert (bad.state, bad.reason, bad.line) == (RowState.QUARANTINED, "not JSON", 3)


def test_spans_are_those_of_a_walk_over_the_text() -> None:
    """Every offset's line and column agree with counting character by character."""
    text = "ab\n\nc\u00e9\U0001f600d\n"
    finder = SpanFinder(text)
    line = column = 1
    for offset in range(len(text) + 1):
        span = finder.span(offset, offset)
        assert (span.start_line, span.start_column) == (line, column)
        if offset < len(text):
            line, column = (line + 1, 1) if text[offset] == "\n" else (line, column + 1)
