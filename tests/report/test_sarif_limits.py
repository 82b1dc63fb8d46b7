"""A SARIF file stays within what viewers take, and says what it leaves out."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from offtarget.core.finding import Finding, FlowStep, Severity
from offtarget.report.sarif_evidence import Evidence
from offtarget.report.sarif_limits import GITHUB

from .sarif_cases import (
    CODE,
    HASH,
    finding,
    low,
    run_of,
    write,
    written,
)


def test_long_data_flows_lose_their_middle_and_say_so(tmp_path: Path) -> None:
    """The first and the last steps stay, and the rest is counted."""
    step = finding().trace[0]
    trace = tuple(FlowStep(step.span, f"step {number}") for number in range(50))
    path = tmp_path / "out.sarif"

    count = write(path, [finding(trace=trace)], limits=replace(GITHUB, n_steps=4))

    (result,) = run_of(path)["results"]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    texts = [step["location"]["message"]["text"] for step in steps]
    assert texts == ["step 0", "step 1", "step 48", "step 49"]
    assert count.n_steps_left_out == result["properties"]["stepsLeftOut"] == 46


def test_over_the_limit_the_least_severe_findings_are_left_out(tmp_path: Path) -> None:
    """The most severe, then surest, then first findings stay, in the order of the file."""
    findings = [
        low(line=1),
        finding(line=2, confidence=0.3),
        finding(line=3),
        low(line=4),
        finding(line=5, severity=Severity.MEDIUM),
        finding(line=6),
        finding(line=7, confidence=0.3),
    ]
    path = tmp_path / "out.sarif"

    count = write(path, findings, limits=replace(GITHUB, n_results=3))

    run = run_of(path)
    assert [result["properties"]["row"] for result in run["results"]] == [2, 3, 6]
    assert (count.n_results, count.n_left_out) == (3, 4)
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("4 of 7 findings are left out")
    declared = run["tool"]["driver"]["notifications"][notification["descriptor"]["index"]]
    assert declared["id"] == notification["descriptor"]["id"]
    assert run["properties"]["findingsLeftOut"] == 4


def test_nothing_left_out_is_not_told_of(tmp_path: Path) -> None:
    """A whole file has no warning."""
    run = written(tmp_path, [finding()])

    assert run["invocations"][0]["toolExecutionNotifications"] == []


def test_a_file_that_compresses_badly_is_shortened_until_it_fits(tmp_path: Path) -> None:
    """The limit is on what gzip makes of the file; the most severe results stay."""
    base = finding()
    findings = [
        replace(base, line=line, severity=list(Severity)[line % 3]) for line in range(1, 901)
    ]
    path = tmp_path / "out.sarif"
    whole = write(path, findings)
    limits = replace(GITHUB, compressed_bytes=whole.compressed_bytes // 2)

    count = write(path, findings, limits=limits)

    assert count.compressed_bytes <= limits.compressed_bytes
    assert 0 < count.n_results < 900
    assert count.n_results + count.n_left_out == 900
    levels = [result["level"] for result in run_of(path)["results"]]
    assert levels.count("error") == min(300, len(levels))


def test_silent_rules_give_way_to_rules_with_findings(tmp_path: Path) -> None:
    """At the limit of rules those that a result names are kept; engines and tags are cut too."""
    limits = replace(GITHUB, n_rules=1, n_engines=1, n_tags=1)

    run = written(tmp_path, [low()], limits=limits)

    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [HASH.id]
    assert len(run["tool"]["extensions"]) == 1
    assert run["tool"]["driver"]["rules"][0]["properties"]["tags"] == ["security"]


def test_memory_does_not_grow_with_the_findings(tmp_path: Path) -> None:
    """A hundred thousand findings need the memory of ten thousand."""

    base = finding()
    some = [replace(base, line=line, confidence=line / 100) for line in range(1, 100)]

    def stream(n_findings: int) -> Iterator[Finding]:
        return islice(cycle(some), n_findings)

    def peak(n_findings: int) -> int:
        tracemalloc.start()
        count = write(
            tmp_path / "out.sarif",
            stream(n_findings),
            evidence_of=lambda found: Evidence(CODE + f"# {found.line}"),
            limits=replace(GITHUB, n_results=50),
        )
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count.n_results + count.n_left_out == n_findings
        return size

    peak(100)  # what is loaded once is loaded here
    assert peak(100_000) < 1.2 * peak(10_000)
