"""Fingerprints say that two flaws are the same flaw, wherever they stand."""

from pathlib import Path

from offtarget.core.finding import Origin
from offtarget.report.sarif_evidence import Evidence
from offtarget.report.sarif_fingerprint import fingerprint

from .sarif_cases import (
    CODE,
    finding,
    hash_of,
    written,
)


def test_a_row_above_does_not_change_fingerprints(tmp_path: Path) -> None:
    """Rows that are added, and a prompt that is rewritten, leave the other results' identity."""
    other = CODE.replace("users", "orders")
    texts = {1: CODE, 2: other}
    before = written(
        tmp_path,
        [finding(line=1), finding(line=2)],
        evidence_of=lambda found: Evidence(f"Here it is:\n```python\n{texts[found.line]}```\n"),
    )
    moved = {1: "x.execute(query)", 8: CODE, 9: other}
    after = written(
        tmp_path,
        [finding(line=1), finding(line=8, message=3), finding(line=9, confidence=0.8)],
        evidence_of=lambda found: Evidence(f"For the lesson:\n```python\n{moved[found.line]}```\n"),
    )

    old, new = ([hash_of(result) for result in run["results"]] for run in (before, after))
    assert len(set(new)) == 3
    assert new[1:] == old


def test_equal_flaws_of_a_file_are_numbered(tmp_path: Path) -> None:
    """The same code in many rows gives different fingerprints; a file's numbers are its own."""
    findings = [finding(line=1), finding(line=2), finding(line=3, file="b.jsonl")]

    run = written(tmp_path, findings, evidence_of=lambda _: Evidence(CODE))

    prints = [hash_of(result).split(":") for result in run["results"]]
    assert len({print_ for print_, _ in prints}) == 1
    assert [number for _, number in prints] == ["1", "2", "1"]


def test_another_rule_origin_or_line_is_another_fingerprint(tmp_path: Path) -> None:
    """Spacing does not count, the code does."""
    prints = [
        fingerprint(finding(), "a = eval(x)"),
        fingerprint(finding(rule="S307"), "a = eval(x)"),
        fingerprint(finding(origin=Origin.INHERITED), "a = eval(x)"),
        fingerprint(finding(), "a = eval(y)"),
        fingerprint(finding(), "a = eval(x)", before="if True:"),
    ]

    assert len(set(prints)) == 5
    assert fingerprint(finding(line=99, file="z"), "\ta  =  eval(x) \n") == prints[0]
