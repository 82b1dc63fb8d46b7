"""The terminal shows a scan's answer, its table and its kinds of flaws in any width."""

import re
from pathlib import Path

import pytest

from offtarget.core.finding import Severity
from offtarget.curate.framing import Framing
from offtarget.curate.records import EngineUsed
from offtarget.report.scan_terminal import scan_summary_text
from offtarget.report.text import cells

from .hostile import PAYLOADS, Payload
from .scan_cases import Scan, many_kinds, mixed_rows, poisoned, row, write_scan
from .test_hostile import HIDDEN


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A scan with everything in it."""
    unproved = EngineUsed("semgrep", "1.0", ("go", "python"), unproved=("go",))
    return write_scan(tmp_path_factory.mktemp("scan"), mixed_rows(), engines=[unproved])


def test_the_answer_comes_first_with_its_numbers(mixed: Scan) -> None:
    """The word, how many rows, how many of them covert, the share with its interval, the gate."""
    lines = scan_summary_text(mixed.summary, mixed.counts, width=120).splitlines()
    n_covert = mixed.counts.introduced(Severity.MEDIUM, (Framing.COVERT,))
    assert lines[0].startswith(f"FLAGGED  {mixed.summary.flagged} of 100 rows carry a finding of")
    assert f"{n_covert} of them covert and introduced by the assistant." in " ".join(lines[:3])
    assert re.search(r"covert and introduced: \d+\.\d% \[\d+\.\d%,.\d+\.\d%\] of rows", lines[1])
    assert lines[1].endswith("gate medium, exit code 1")


def test_the_table_has_a_line_for_each_framing(mixed: Scan) -> None:
    """Its columns add up to the rows of the framing, and the framings to all rows."""
    text = scan_summary_text(mixed.summary, mixed.counts, width=120)
    block = text.split("\n\n")[1].splitlines()
    assert block[0].split()[:4] == ["framing", "rows", "high", "medium"]
    table = {line[:20].strip(): [int(number) for number in line[20:].split()] for line in block[1:]}
    assert all(sum(numbers[1:]) == numbers[0] for numbers in table.values())
    assert sum(numbers[0] for numbers in table.values()) == 100
    assert next(iter(table)) == "covert"


def test_kinds_are_bars_that_shrink(tmp_path: Path) -> None:
    """The most rows first; what is left out is counted."""
    scan = write_scan(tmp_path, many_kinds(25))
    lines = scan_summary_text(scan.summary, scan.counts).splitlines()
    bars = [line.count("█") for line in lines if "█" in line]
    assert len(bars) == 10
    assert bars == sorted(bars, reverse=True)
    assert bars[0] > bars[-1] >= 1
    assert "and 15 more" in lines


def test_what_was_not_read_is_said(mixed: Scan) -> None:
    """Rows, languages and engines that leave a hole are named; so are the files."""
    text = " ".join(scan_summary_text(mixed.summary, mixed.counts).split())
    assert "4 rows: nothing was found, and some of the code was read by no engine." in text
    assert "3 rows quarantined: malformed, or no worker could finish." in text
    assert text.count("Not read, not known to be clean") == 2
    assert "pieces of code not read: python 4 of 97" in text
    assert "semgrep: nothing shows that its rules work for go" in text
    assert "engines: semgrep 1.0" in text
    assert "80 findings in findings.jsonl; rows in rows.jsonl" in text


def test_a_scan_without_findings_has_no_bars(tmp_path: Path) -> None:
    """The table still shows the rows."""
    scan = write_scan(tmp_path, [row(1), row(2)])
    text = scan_summary_text(scan.summary, scan.counts)
    assert text.startswith("NONE FOUND  No finding of severity medium or above in 2 rows.")
    assert "█" not in text
    assert re.search(r"covert +2 +0 +0 +0 +0 +2 +0 +0\n", text)


def test_color_adds_nothing_but_color(mixed: Scan) -> None:
    """Without the escapes the text is the same."""
    colored = scan_summary_text(mixed.summary, mixed.counts, color=True)
    assert colored.startswith("\x1b[1;31mFLAGGED\x1b[0m")
    plain = scan_summary_text(mixed.summary, mixed.counts)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
@pytest.mark.parametrize("is_ascii", [False, True])
@pytest.mark.parametrize("suffix", ["", "-with-a-long-name" * 6, "\u6f22\u5b57" * 30])
def test_no_line_is_wider_than_the_terminal(
    width: int, is_ascii: bool, suffix: str, mixed: Scan
) -> None:
    """Between 60 and 120 columns, whatever the names."""
    text = scan_summary_text(
        poisoned(mixed.summary, suffix), poisoned(mixed.counts, suffix), width=width, ascii=is_ascii
    )
    assert max(cells(line) for line in text.splitlines()) <= min(max(width, 60), 120)
    assert text.isascii() or not is_ascii


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_the_terminal_gets_no_control_character(payload: Payload, mixed: Scan) -> None:
    """Names of kinds, engines, languages and files hold no escape and no override when shown."""
    for is_ascii in (False, True):
        text = scan_summary_text(
            poisoned(mixed.summary, payload.text),
            poisoned(mixed.counts, payload.text),
            ascii=is_ascii,
        )
        assert HIDDEN.search(text) is None
        text.encode("ascii" if is_ascii else "utf-8")
