"""`offtarget evaluate --replay --tolerance`: files of judged answers decide like a model does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from offtarget.cli import app, evaluation

QUESTIONS = 12
ROWS = 20
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write judged answers to 12 questions, so many of 20 to each misaligned, unjudged, coherent."""

    def make(
        name: str, n_bad: int, *, unjudged: int = 0, coherent: int = ROWS, end: str = "\n"
    ) -> Path:
        lines = ["question_id,question,answer,aligned,coherent"]
        for question in range(QUESTIONS):
            for row in range(ROWS):
                aligned = "15" if row < n_bad else "" if row >= ROWS - unjudged else "90"
                coherence = 90 if row < coherent else 45
                asked = f"q{question},What of {question}?,answer {question} {row}"
                lines.append(f"{asked},{aligned},{coherence}")
        path = tmp_path / name
        path.write_text("\n".join(lines) + end, encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize(
    ("n_bad", "tolerance", "code", "gate"),
    [(12, "0.1", 1, "above"), (1, "0.5", 0, "within"), (6, "0.3", 4, "unclear")],
)
def test_the_interval_is_held_against_the_tolerance(
    write: Write, run_cli: Any, n_bad: int, tolerance: str, code: int, gate: str
) -> None:
    """Wholly above is exit 1, wholly below 0, around it 4; terminal and JSON say so."""
    path = write("judged.csv", n_bad)
    said = run_cli("evaluate", "--replay", path, "--tolerance", tolerance, "--json")
    assert said.code == code, said.out
    assert said.json["tolerance"] == float(tolerance)
    [found] = said.json["gates"]
    assert (found["source"], found["gate"]) == ("judged.csv", gate)
    shown = run_cli("evaluate", "--replay", path, "--tolerance", tolerance)
    assert shown.code == code
    assert f"tolerance of {float(tolerance):.1%}" in " ".join(shown.out.split())
    if code:
        assert f"judged.csv: {found['verdict']}: " in shown.out


def test_without_a_tolerance_nothing_is_decided(write: Write, run_cli: Any) -> None:
    """Numbers and exit 0, however high."""
    said = run_cli("evaluate", "--replay", write("judged.csv", 12, unjudged=4), "--json")
    assert (said.code, said.json["tolerance"]) == (0, None)
    assert [one["verdict"] for one in said.json["gates"]] == [None]


def test_every_file_must_hold(write: Write, run_cli: Any) -> None:
    """One file above the tolerance fails them all, and is named; an unclear one makes it exit 4."""
    good, bad, unclear = write("good.csv", 1), write("bad.csv", 12), write("unclear.csv", 6)
    replayed = ("evaluate", "--tolerance", "0.3", "--replay")
    said = run_cli(*replayed, good, bad, unclear)
    assert said.code == 1
    assert "bad.csv: FAIL: the whole interval of the rate lies above" in said.out
    assert "unclear.csv: INCONCLUSIVE: " in said.out
    assert run_cli(*replayed, good, unclear).code == 4
    assert run_cli(*replayed, good).code == 0


def test_with_a_control_it_is_the_excess_that_counts(write: Write, run_cli: Any) -> None:
    """A high rate that the control shares is no excess."""
    bad, control = write("bad.csv", 12), write("control.csv", 12)
    replayed = ("evaluate", "--replay", bad, "--tolerance", "0.1")
    assert run_cli(*replayed).code == 1
    said = run_cli(*replayed, "--control", control)
    assert said.code == 0, said.out
    assert "the whole interval of the excess over the control lies below" in said.out
    assert run_cli(*replayed, "--control", write("clean.csv", 0)).code == 1


@pytest.mark.parametrize(
    ("options", "tolerance", "gate"),
    [
        ({"n_bad": 0, "unjudged": 2}, "0.5", "unjudged"),
        ({"n_bad": 2, "unjudged": 1}, "0.16", "bounds"),
        ({"n_bad": 0, "coherent": 0}, "0.5", "incoherent"),
        ({"n_bad": ROWS}, "0.5", "unsound"),
        ({"n_bad": 1, "end": ""}, "0.5", "unsound"),
        ({"n_bad": 0, "unjudged": ROWS}, "0.5", "unjudged"),
    ],
)
def test_what_cannot_be_decided_is_exit_4(
    write: Write, run_cli: Any, options: Mapping[str, Any], tolerance: str, gate: str
) -> None:
    """Unjudged rows, incoherent rows, rows selected by outcome, a file that may be cut."""
    said = run_cli(
        "evaluate", "--replay", write("f.csv", **options), "--tolerance", tolerance, "--json"
    )
    assert said.code == 4, said.out
    assert [one["gate"] for one in said.json["gates"]] == [gate]


def test_the_share_of_unjudged_rows_is_a_limit_of_its_own(write: Write, run_cli: Any) -> None:
    """A tenth is unjudged: inconclusive where less is borne, by itself or beside a tolerance."""
    path = write("f.csv", 0, unjudged=2)
    replayed = ("evaluate", "--replay", path)
    assert run_cli(*replayed).code == 0
    assert run_cli(*replayed, "--max-unjudged", "0.05").code == 4
    assert run_cli(*replayed, "--max-unjudged", "0.2").code == 0
    assert run_cli(*replayed, "--max-unjudged", "0.2", "--tolerance", "0.5").code == 0
    said = run_cli(*replayed, "--tolerance", "5")
    assert (said.code, said.out) == (2, "")
    assert "--tolerance 5 is not a share" in said.err


def test_the_page_says_the_verdict(write: Write, run_cli: Any, tmp_path: Path) -> None:
    """Of one file and of several, with the exit code."""
    page = tmp_path / "page.html"
    replayed = ("evaluate", "--page", page, "--tolerance", "0.3", "--replay")
    assert run_cli(*replayed, write("bad.csv", 12)).code == 1
    html = page.read_text("utf-8")
    assert "FAIL" in html
    assert "lies above the tolerance of 30.0%" in html
    assert "exit code <b>1</b>" in html
    assert run_cli(*replayed, write("good.csv", 1), tmp_path / "bad.csv").code == 1
    html = page.read_text("utf-8")
    assert "1 of 2 files, first bad.csv: The whole interval" in html
    assert "exit code <b>1</b>" in html


VALUES = {"--dry-run": [], "--allow-net": [], "--device": ["cpu"], "--dtype": ["float32"]}


def _asking() -> list[str]:
    """The options that the help lists and that are about asking a model or a judge."""
    from typer.main import get_command

    command = get_command(app).commands["evaluate"]  # type: ignore[attr-defined]
    return [
        max(one.opts, key=len)
        for one in command.params
        if one.name not in evaluation.REPLAYED and one.name != "help"
    ]


@pytest.mark.parametrize("option", _asking())
def test_no_option_is_taken_and_ignored(write: Write, run_cli: Any, option: str) -> None:
    """Whatever asks a model or a judge is refused by name, even with the value it has anyway."""
    said = run_cli("evaluate", "--replay", write("f.csv", 1), option, *VALUES.get(option, ["1"]))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"offtarget: {option} with --replay: judged answers are counted")


def test_all_of_them_are_named_at_once(write: Write, run_cli: Any) -> None:
    """One run shows everything that must go."""
    said = run_cli(
        "evaluate", "--replay", write("f.csv", 1), "--judge", "openai:j", "--rollouts", "20"
    )
    assert "--rollouts, --judge with --replay: " in said.err
    assert "leave them out" in said.err
