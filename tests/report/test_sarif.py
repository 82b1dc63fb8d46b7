"""SARIF files are read by others: by the official schema, by a reader, and within their limits."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.errors import ResourceError
from offtarget.core.finding import Finding, FlowStep, Severity, Span
from offtarget.report.sarif import write_sarif
from offtarget.report.sarif_evidence import Evidence
from offtarget.report.sarif_limits import GITHUB

from .sarif_cases import (
    CODE,
    ENGINES,
    HASH,
    RULES,
    SQL,
    evidence,
    finding,
    low,
    run_of,
    span_of,
    write,
    written,
)

HOSTILE = "\x00\x1b[31m\u202e\ud800\ufffe\u2028 [x](file:///etc/passwd) {0} </script>"


def _various() -> list[Finding]:
    """Return findings with everything that a file can hold, hostile texts among it."""
    beyond = Span(10**6, 10**6 + 5, 9_000, 1, 9_000, 6)
    return [
        finding(),
        low(line=3, message=0),
        finding(rule="my-rules.odd", cwe="CWE-99999", engine="semgrep", confidence=1.0),
        finding(rule=HOSTILE, cwe="none", text=HOSTILE, file=f"a b/{HOSTILE}", engine=HOSTILE),
        finding(span=beyond, text="", trace=(FlowStep(beyond, ""),), file="", confidence=0.0),
        finding(file="/abs/../../train.jsonl", rule="", cwe="", severity=Severity.MEDIUM),
    ]


@pytest.fixture(scope="session")
def schema() -> Any:
    folder = os.environ.get("OFFTARGET_DATA")
    if not folder:
        pytest.skip("OFFTARGET_DATA is not set: no official schema here")
    path = Path(folder) / "schemas" / "sarif-2.1.0.schema.json"
    return json.loads(path.read_bytes())


@pytest.mark.data
@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("has_evidence", [False, True])
def test_files_obey_the_official_schema(
    schema: Any, tmp_path: Path, is_plain: bool, has_evidence: bool
) -> None:
    """OASIS's schema accepts what is written, of ordinary and of hostile findings and of none."""
    from jsonschema import Draft4Validator, FormatChecker

    validator = Draft4Validator(schema, format_checker=FormatChecker())
    options: dict[str, Any] = {"is_plain": is_plain}
    if has_evidence:
        options["evidence_of"] = evidence
    for findings in (_various(), []):
        for limits in (GITHUB, replace(GITHUB, n_results=2, n_steps=1)):
            path = tmp_path / "out.sarif"
            write(path, findings, limits=limits, **options)
            assert not list(validator.iter_errors(json.loads(path.read_bytes())))


def test_an_independent_reader_sees_every_result(tmp_path: Path) -> None:
    """Another project's model of SARIF reads the same results, rules, places and flows."""
    from sarif_pydantic import Sarif

    path = tmp_path / "out.sarif"
    findings = [finding(), low(line=3), finding(line=40)]
    count = write(path, findings, evidence_of=evidence)

    (run,) = Sarif.model_validate_json(path.read_bytes()).runs

    assert run.results is not None
    assert count.n_results == len(run.results) == 3
    rules = run.tool.driver.rules
    assert rules is not None
    for found, result in zip(findings, run.results, strict=True):
        assert result.rule_index is not None
        assert result.rule_id == rules[result.rule_index].id == found.rule
        assert result.locations is not None
        place = result.locations[0].physical_location
        assert place is not None
        assert place.region is not None
        assert place.artifact_location is not None
        assert place.region.start_line == found.line
        assert place.artifact_location.uri == "train.jsonl"
        flows = result.code_flows or []
        assert sum(len(f.thread_flows[0].locations) for f in flows) == len(found.trace)
    assert run.results[0].fixes
    assert [engine.name for engine in run.tool.extensions or []] == ["offtarget", "ruff"]


def test_a_result_names_its_rule_kind_row_and_message(tmp_path: Path) -> None:
    """A viewer gets level, rank, taxon, the line of the row, and the message by name."""
    run = written(tmp_path, [finding(), low(line=3, message=0)])

    first, second = run["results"]
    assert (first["level"], second["level"]) == ("error", "note")
    assert (first["rank"], second["rank"]) == (92.0, 50.0)
    (place,) = first["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    region = place["physicalLocation"]["region"]
    assert (region["startLine"], region["endLine"]) == (12, 12)
    span = finding().span
    assert (region["properties"]["start"], region["properties"]["end"]) == (span.start, span.end)
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "row 12/message 1"
    (taxonomy,) = run["taxonomies"]
    for result, cwe in ((first, "CWE-89"), (second, "CWE-327")):
        (taxon,) = result["taxa"]
        assert taxonomy["taxa"][taxon["index"]]["id"] == taxon["id"] == cwe
        assert taxon["toolComponent"]["guid"] == taxonomy["guid"]
    assert first["properties"]["origin"] == "introduced"
    assert run["properties"]["samples"] == 20


def test_a_rule_declares_what_code_scanning_reads(tmp_path: Path) -> None:
    """Rules carry texts, help, level, precision, score, tags and their kind, found or not."""
    run = written(tmp_path, [])

    assert run["results"] == []
    rule, other = run["tool"]["driver"]["rules"]
    assert (rule["id"], other["id"]) == (SQL.id, HASH.id)
    assert rule["shortDescription"]["text"] == SQL.title
    assert rule["fullDescription"]["text"] == SQL.why
    assert SQL.bad in rule["help"]["text"]
    assert f"```python\n{SQL.bad}\n```" in rule["help"]["markdown"]
    assert rule["helpUri"] == "https://cwe.mitre.org/data/definitions/89.html"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {
        "tags": ["security", "external/cwe/cwe-089", "python"],
        "precision": "very-high",
        "security-severity": "8.0",
    }
    (relation,) = rule["relationships"]
    taxon = run["taxonomies"][0]["taxa"][relation["target"]["index"]]
    assert taxon["id"] == relation["target"]["id"] == "CWE-89"
    assert run["tool"]["driver"]["supportedTaxonomies"][0]["name"] == "CWE"


def test_a_rule_of_a_users_own_is_described_by_its_finding(tmp_path: Path) -> None:
    """A rule that no table knows has every property that code scanning requires."""
    run = written(tmp_path, [finding(rule="my.rule", engine="semgrep", cwe="")])

    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == "my.rule"
    assert rule["shortDescription"]["text"] == "my.rule (semgrep)"
    assert rule["help"]["text"]
    assert "taxa" not in result
    assert rule["properties"]["tags"] == ["security"]


def test_examples_with_fences_cannot_leave_their_block(tmp_path: Path) -> None:
    """A longer fence encloses an example that holds one."""
    rule = replace(SQL, bad="```\n# not a heading")

    run = written(tmp_path, [], rules=[rule])

    assert (
        "````python\n```\n# not a heading\n````"
        in run["tool"]["driver"]["rules"][0]["help"]["markdown"]
    )


def test_steps_of_a_data_flow_keep_their_order_and_code(tmp_path: Path) -> None:
    """Each step has its words and its line of code; source and sink are marked."""
    run = written(tmp_path, [finding()], evidence_of=lambda _: Evidence(CODE))

    (flow,) = run["results"][0]["codeFlows"]
    (thread,) = flow["threadFlows"]
    steps = thread["locations"]
    assert [step["location"]["message"]["text"] for step in steps] == [
        step.text for step in finding().trace
    ]
    snippets = [step["location"]["physicalLocation"]["region"]["snippet"]["text"] for step in steps]
    assert snippets[0] == "def find(name):"
    assert [step.get("importance") for step in steps] == ["essential", None, "essential"]


def test_hostile_text_is_shown_and_obeyed_by_no_viewer(tmp_path: Path) -> None:
    """Nothing hidden, no link, no placeholder and no lone surrogate reaches the file."""
    code = f"x = 1  # {HOSTILE}\n"
    found = finding(rule=HOSTILE, text=HOSTILE, engine=HOSTILE, span=span_of(code, "x = 1"))
    path = tmp_path / "out.sarif"

    write(path, [found], evidence_of=lambda _: Evidence(code))

    text = path.read_bytes().decode("utf-8")
    for char in "\x00\x1b\u202e\ufffe\u2028":
        assert char not in text
        assert json.dumps(char)[1:-1] not in text
    (result,) = run_of(path)["results"]
    assert "](" not in result["message"]["text"]
    assert "{{0}}" in result["message"]["text"]
    assert "[U+202E]" in result["message"]["text"]


def test_equal_findings_give_equal_bytes(tmp_path: Path) -> None:
    """Two writes of the same findings differ in nothing, and one from an iterator neither."""
    for name, findings in (("a", _various()), ("b", iter(_various()))):
        write(tmp_path / name, findings, evidence_of=evidence)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    """The error names the file; what stood there before stays, and no partial file is left."""
    blocked = tmp_path / "out.sarif"
    blocked.mkdir()

    with pytest.raises(ResourceError, match=r"cannot write 'out\.sarif' in .* run the same"):
        write_sarif(blocked, [finding()], rules=RULES, engines=ENGINES, n_samples=1)

    assert [path.name for path in tmp_path.iterdir()] == ["out.sarif"]


def test_a_scan_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    """Findings that stop with an error write nothing."""
    path = tmp_path / "out.sarif"
    write(path, [finding()])
    old = path.read_bytes()

    def broken() -> Iterator[Finding]:
        yield low()
        raise RuntimeError("the scan stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write(path, broken())

    assert path.read_bytes() == old
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.sarif"]
