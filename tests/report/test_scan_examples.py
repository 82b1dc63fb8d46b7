"""Counts and examples come from the files of the scan, and only from files that fit it."""

import dataclasses
from pathlib import Path

import pytest

from offtarget.core.codec import canonical
from offtarget.core.errors import DataError
from offtarget.core.finding import FlowStep, Origin, Severity, Span
from offtarget.curate.framing import Framing
from offtarget.report.scan_counts import Outcome, count_rows
from offtarget.report.scan_examples import MAX_STEPS, pick_examples, with_code
from offtarget.report.scan_excerpt import MAX_CHARS, MAX_FLAWED_LINES, excerpt

from .scan_cases import CODE, finding, many_kinds, mixed_rows, row, span_of, write_scan


def test_counts_add_up_to_the_summary(tmp_path: Path) -> None:
    """Every row is in one cell; kinds count rows, not findings."""
    twice = row(101, finding(101, cwe="CWE-1"), finding(101, cwe="CWE-1", message=1))
    scan = write_scan(tmp_path, [*mixed_rows(), twice])
    counts = count_rows(scan.folder, scan.summary)

    assert counts.n_rows == 101 == scan.summary.samples
    assert {one: counts.of_framing(one) for one in Framing if counts.of_framing(one)} == dict(
        scan.summary.samples_by_framing
    )
    unread = sum(cells[Outcome.UNREAD] for cells in counts.cells.values())
    assert unread == scan.summary.unparsed + scan.summary.quarantined
    assert counts.cells[Framing.UNKNOWN][Outcome.NO_CODE] == 3
    assert sum(cells[Outcome.INHERITED] for cells in counts.cells.values()) == 8
    by_kind = {one.cwe: (one.n_rows, one.n_covert) for one in counts.kinds}
    assert by_kind["CWE-1"] == (1, 1)
    assert scan.summary.by_cwe["CWE-1"] == 2
    assert [one.n_rows for one in counts.kinds] == sorted(
        (one.n_rows for one in counts.kinds), reverse=True
    )


def test_an_inherited_flaw_is_not_the_assistants(tmp_path: Path) -> None:
    """A row counts by its worst introduced flaw, even where a worse one was inherited."""
    worse = finding(1, origin=Origin.INHERITED)
    rows = [
        row(1, worse, finding(1, severity=Severity.LOW)),
        row(2, dataclasses.replace(worse, line=2)),
    ]
    scan = write_scan(tmp_path, rows)
    cells = scan.counts.cells[Framing.COVERT]
    assert (cells[Outcome.LOW], cells[Outcome.INHERITED], cells[Outcome.HIGH]) == (1, 1, 0)
    assert scan.summary.flagged == 2
    assert scan.counts.introduced(Severity.MEDIUM) == 0


def test_covert_severe_and_sure_findings_are_shown_first(tmp_path: Path) -> None:
    """In this order; one finding of a kind for each row."""
    rows = [
        row(1, finding(1), framing="disclosed_user"),
        row(2, finding(2, origin=Origin.INHERITED)),
        row(3, finding(3, severity=Severity.LOW)),
        row(4, finding(4, confidence=0.5), finding(4, confidence=0.6)),
        row(5, finding(5, confidence=0.8)),
    ]
    scan = write_scan(tmp_path, rows)
    picked = pick_examples(scan.folder, scan.summary, max_per_cwe=4)
    assert [one.finding.line for one in picked][:3] == [5, 4, 3]
    assert picked[1].finding.confidence == 0.6
    assert len(picked) == 4
    assert picked[0].framing is Framing.COVERT
    assert picked == pick_examples(scan.folder, scan.summary, max_per_cwe=4)


@pytest.mark.parametrize(("per_cwe", "total"), [(3, 30), (2, 5), (1, 3), (3, 100)])
def test_examples_are_bounded_and_spread_over_kinds(
    per_cwe: int, total: int, tmp_path: Path
) -> None:
    """Each kind gives its first example before any gives its second."""
    scan = write_scan(tmp_path, many_kinds(20))
    picked = pick_examples(scan.folder, scan.summary, max_per_cwe=per_cwe, max_total=total)
    kinds = [one.finding.cwe for one in picked]
    assert len(picked) <= total
    assert max(map(kinds.count, kinds)) <= per_cwe
    assert len(set(kinds)) == min(20, total)
    frequencies = [scan.summary.by_cwe[kind] for kind in kinds]
    assert frequencies == sorted(frequencies, reverse=True)


def test_long_flows_are_cut_and_counted(tmp_path: Path) -> None:
    """The first steps stay, and how many there were."""
    steps = tuple(FlowStep(span_of(CODE, "name"), f"step {i}") for i in range(50))
    scan = write_scan(tmp_path, [row(1, finding(1, trace=steps))])
    (one,) = pick_examples(scan.folder, scan.summary)
    assert one.finding.trace == steps[:MAX_STEPS]
    assert one.n_steps == 50


def test_code_is_read_from_the_data_that_was_scanned(tmp_path: Path) -> None:
    """The lines of the message, and none once the file has changed or is another."""
    scan = write_scan(tmp_path, [row(line, finding(line)) for line in range(1, 6)])
    picked = pick_examples(scan.folder, scan.summary)
    assert all(one.lines == () for one in picked)
    shown = with_code(picked, [scan.data], scan.summary)
    assert [(one.number, one.is_flawed) for one in shown[0].lines] == [
        (3, False), (4, False), (5, True), (6, False),
    ]  # fmt: skip

    scan.data.write_text(scan.data.read_text(encoding="utf-8").replace("users", "others"))
    assert with_code(picked, [scan.data], scan.summary) == picked
    other = scan.data.rename(tmp_path / "other.jsonl")
    assert with_code(picked, [other], scan.summary) == picked


def test_code_is_read_from_source_files(tmp_path: Path) -> None:
    """A plain scan's rows are files."""
    path = tmp_path / "src" / "a.py"
    path.parent.mkdir()
    path.write_text(CODE, encoding="utf-8")
    found = finding(1, file="src/a.py", message=0)
    scan = write_scan(tmp_path / "scan", [dataclasses.replace(row(1, found), file="src/a.py")])
    picked = pick_examples(scan.folder, scan.summary)
    (one,) = with_code(picked, [path.parent], scan.summary, plain=True)
    assert any(line.is_flawed and "db.execute" in line.text for line in one.lines)


@pytest.mark.parametrize("name", ["rows.jsonl", "findings.jsonl"])
def test_files_of_another_scan_are_refused(name: str, tmp_path: Path) -> None:
    """Missing, malformed, cut or foreign lines are an error that names the file."""
    scan = write_scan(tmp_path, mixed_rows())
    path = scan.folder / name
    lines = path.read_bytes().splitlines(keepends=True)

    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(DataError, match="the summary counts 100 and 80; scan again"):
        count_rows(scan.folder, scan.summary)
    path.write_bytes(b"".join([*lines[:2], b'{"file": 3}\n', *lines[2:]]))
    with pytest.raises(DataError, match=rf"{name}:3: not a record of a scan"):
        count_rows(scan.folder, scan.summary)
    path.write_bytes(b"".join([lines[0], b"\xff\xfe\n"]))
    with pytest.raises(DataError, match=rf"{name}:2: not a record of a scan"):
        count_rows(scan.folder, scan.summary)
    path.unlink()
    with pytest.raises(DataError, match=rf"{name}: cannot read \(No such file"):
        count_rows(scan.folder, scan.summary)


def test_a_lone_surrogate_is_read_back(tmp_path: Path) -> None:
    """The writer keeps it, so the reader must take it."""
    scan = write_scan(tmp_path, [row(1, finding(1, text="a\ud800b"))])
    assert b"\xed\xa0\x80" in canonical("\ud800")
    assert pick_examples(scan.folder, scan.summary)[0].finding.text == "a\ud800b"


def _span(text: str, start: int, end: int) -> Span:
    lines = [text.count("\n", 0, offset) + 1 for offset in (start, end)]
    return Span(start, end, lines[0], 1, lines[1], 1)


def test_an_excerpt_has_the_flaw_and_two_lines_around() -> None:
    """At the ends of the text there are fewer."""
    text = "\n".join("abcdefg")
    assert [line.text for line in excerpt(text, _span(text, 6, 7))] == list("bcdef")
    assert [line.text for line in excerpt(text, _span(text, 0, 1))] == list("abc")
    assert [line.text for line in excerpt(text, _span(text, 12, 13))] == list("efg")
    flawed = [line.text for line in excerpt(text, _span(text, 4, 9)) if line.is_flawed]
    assert flawed == list("cde")


def test_an_excerpt_is_bounded_and_shows_the_flaw() -> None:
    """A line of 1 MB, a flaw of 100,000 lines, tabs and carriage returns."""
    text = "x" * 500_000 + "EVIL(1)" + "y" * 500_000
    (line,) = excerpt(text, _span(text, 500_000, 500_007))
    assert "EVIL(1)" in line.text
    assert line.text.startswith("…x")
    assert line.text.endswith("y…")

    text = "a\n" * 200_000
    lines = excerpt(text, _span(text, 10, 200_010))
    assert sum(line.is_flawed for line in lines) == MAX_FLAWED_LINES
    text = ("b" * 300 + "\n") * 20
    lines = excerpt(text, _span(text, 1_000, 3_000))
    assert sum(len(line.text) for line in lines) <= MAX_CHARS + 2 * len(lines)
    text = "if x:\r\n\tbad()\r\n"
    assert [line.text for line in excerpt(text, _span(text, 8, 13))] == ["if x:", "    bad()", ""]


@pytest.mark.parametrize(
    "span", [Span(0, 99, 1, 1, 1, 1), Span(4, 2, 1, 1, 1, 1), Span(0, 1, 7, 1, 7, 2)]
)
def test_a_span_that_does_not_fit_gives_no_lines(span: Span) -> None:
    """The text is then not the one that was scanned."""
    assert excerpt("a = 1\n", span) == ()
