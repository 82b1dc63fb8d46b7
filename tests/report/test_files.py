"""The files of a report folder and the page over several runs."""

import dataclasses
import json
import re

import pytest

from offtarget.core.codec import decode
from offtarget.core.errors import DataError
from offtarget.core.records import Verdict
from offtarget.evaluate import Results
from offtarget.report import render_index, render_report, report_files
from offtarget.report.index import report_href

from .fixtures import make_results


def test_a_report_is_a_record_and_a_page() -> None:
    """results.json holds the record, report.html the page."""
    results = make_results()
    files = report_files(results)
    assert sorted(files) == ["report.html", "results.json"]
    record = json.loads(files["results.json"])
    assert record["verdict"] == "FAIL"
    assert record["excess"]["by_seed"] == list(results.excess.by_seed)
    settled = decode(record, Results, place="results.json")
    assert files["report.html"].decode() == render_report(settled)


def test_a_record_that_is_not_json_is_refused() -> None:
    """NaN has no JSON, and a file with it would be read by some tools and not by others."""
    results = dataclasses.replace(make_results(), tolerance=float("nan"))
    with pytest.raises(DataError, match="numbers must be finite"):
        report_files(results)


def test_the_index_lists_each_model_with_its_verdict() -> None:
    """Verdict, excess, tolerance, positive control and a relative link per model."""
    runs = [
        dataclasses.replace(make_results(verdict), run=f"study/{verdict.value}")
        for verdict in Verdict
    ]
    html = render_index(runs, title="Three models")
    assert "<h1>Three models</h1>" in html
    for verdict in Verdict:
        assert f">{verdict.value}</span>" in html
        assert f'href="./study/{verdict.value}/report/report.html"' in html
    assert len(re.findall("detected", html)) == 3
    assert 'href="./a/report/report.html"' in render_index(runs[:1], folders=["a"])


def test_an_index_without_a_positive_control_says_so() -> None:
    """`none` stands where the positive control would."""
    html = render_index([make_results(Verdict.INCONCLUSIVE, has_positive=False)])
    assert '<td class="nw">none</td>' in html


def test_an_index_needs_a_folder_for_each_result() -> None:
    """A wrong number of folders is an error with both counts."""
    with pytest.raises(DataError, match="2 folders for 1 results"):
        render_index([make_results()], folders=["a", "b"])


@pytest.mark.parametrize(
    ("folder", "href"),
    [
        ("a", "./a/report/report.html"),
        ("a b/c", "./a%20b/c/report/report.html"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29/report/report.html"),
        ("data:text,x", "./data%3Atext%2Cx/report/report.html"),
        ("%2e%2e", "./%252e%252e/report/report.html"),
        ("a?b#c", "./a%3Fb%23c/report/report.html"),
        ("\ud800", "./%3F/report/report.html"),
        ("..", ""),
        ("a/../../b", ""),
        ("/etc", ""),
        ("//evil.example", ""),
        ("a\\..\\b", ""),
        ("a/ .. /b", ""),
        ("", ""),
    ],
)
def test_links_stay_below_the_page(folder: str, href: str) -> None:
    """Whatever a run is called, its link is relative and below the page, or there is none."""
    assert report_href(folder) == href


def test_an_unsafe_folder_is_named_without_a_link() -> None:
    """The row stays, with a note."""
    html = render_index([dataclasses.replace(make_results(), run="../../etc")])
    assert "<a " not in html
    assert "open its folder by hand" in html
