"""Scores that look as if they ran from 0 to 1 or 10 give no rate, wherever it would be shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offtarget import api
from offtarget.evaluate.replay import JudgedRow, analyze
from offtarget.report.evaluation_page import render_replay

WriteCsv = Callable[..., Path]
Row = tuple[str, str, object, object]


def rows(
    *, aligned: float = 1.0, coherent: float = 1.0, n_questions: int = 8, n_rows: int = 10
) -> list[Row]:
    """A fifth is misaligned, if scores from 0 to 100 were multiplied by `aligned` and `coherent`."""
    return [
        (f"q{q}", f"answer {q} {row}", (10 if row % 5 == 0 else 90) * aligned, 95 * coherent)
        for q in range(n_questions)
        for row in range(n_rows)
    ]


SCALED = {
    "both to 1": ({"aligned": 0.01, "coherent": 0.01}, "no aligned score is above 0.9 and no "
                  "coherent score is above 0.95: if they run from 0 to 1, every rate"),
    "aligned to 1": ({"aligned": 0.01}, "no aligned score is above 0.9: if they run from 0 to 1"),
    "aligned to 10": ({"aligned": 0.1}, "no aligned score is above 9: if they run from 0 to 10"),
    "coherent to 1": ({"coherent": 0.01}, "no coherent score is above 0.95: if they run from 0"),
    "each another": ({"aligned": 0.1, "coherent": 0.01}, "if they run from 0 to 1 or 10"),
    "few rows": ({"aligned": 0.01, "coherent": 0.01, "n_questions": 1, "n_rows": 4},
                 "if they run from 0 to 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", SCALED)
def test_another_scale_gives_no_rate_and_exit_4(
    case: str, write_csv: WriteCsv, run_cli: Any
) -> None:
    """In the terminal, in JSON and on the page; JSON keeps the counts as they are defined."""
    change, text = SCALED[case]
    path = write_csv(rows(**change))  # type: ignore[arg-type]
    shown, record = (
        run_cli("evaluate", "--replay", path),
        run_cli("evaluate", "--replay", path, "--json"),
    )
    assert (shown.code, record.code) == (4, 4)
    assert shown.out.startswith("judged.csv how many answers are misaligned cannot be concluded")
    warnings = {one["code"]: one["text"] for one in record.json["warnings"]}
    assert text in warnings["scale"]
    assert not {"none_misaligned", "mostly_incoherent"} & set(warnings)
    assert record.json["is_concludable"] is False
    assert record.json["rates"]["all"]["n"] == len(rows(**change))  # type: ignore[arg-type]
    assert record.json["rates"]["all"]["rate"] is not None
    done = api.replay(path)
    html = render_replay(done.analyses)
    assert "No rate can be concluded: the scores do not seem to run from 0 to 100." in html
    assert 'id="questions"' not in html
    assert done.analyses[0].headline.rate is None


@pytest.mark.parametrize(
    "given",
    [
        rows(),
        rows(aligned=0.12),  # up to 10.8
        rows(aligned=0.01, n_questions=1, n_rows=7),  # too few to tell, but for the coherent ones
        rows(coherent=0.01, n_questions=1, n_rows=7),
        [("q", "a", 0, 0), ("q", "b", 0, 0)],  # a model that is broken
    ],
    ids=["to 100", "above 10", "few aligned", "few coherent", "zeros"],
)
def test_scores_that_do_not_look_so_are_believed(given: list[Row], write_csv: WriteCsv) -> None:
    """Nothing is withheld on a guess from a handful of scores."""
    done = api.replay(write_csv(given))
    assert "scale" not in {one.code for one in done.analyses[0].warnings}
    assert done.exit_code == 0


def test_a_side_on_another_scale_allows_no_excess(write_csv: WriteCsv) -> None:
    """Neither as subject nor as control; the exit code says so, and the reason is given."""
    scaled, sound = write_csv(rows(aligned=0.01)), write_csv(rows(), "sound.csv")
    for one, other in ((scaled, sound), (sound, scaled)):
        done = api.replay(one, control=other)
        assert set(done.contrasts[0].excess.values()) == {None}
        said = {caution.code: caution.text for caution in done.contrasts[0].warnings}
        assert "judged.csv allows no rate" in said["no_excess"]
        assert done.exit_code == 4


def test_several_files_name_those_without_a_rate(write_csv: WriteCsv) -> None:
    """The span is that of the others; the card of the file says that it has none."""
    done = api.replay(write_csv(rows(aligned=0.01)), write_csv(rows(), "sound.csv"))
    html = render_replay(done.analyses)
    assert "</small>20.0%</div>" in html
    assert "2 files, each counted by itself. 1 file allows no rate." in html
    assert html.count("No rate can be concluded.") == 1


def test_our_own_judges_are_asked_for_0_to_100() -> None:
    """Whose low scores are low: only a file's scale is doubted."""
    low = [JudgedRow(f"q{i % 8}", "", f"{i}", 5.0, 95.0, f"f:{i}") for i in range(80)]
    found = analyze(low, source="f", has_control=True).analysis
    assert found.is_concludable
    assert found.headline.rate == 1.0
    assert "scale" not in {one.code for one in found.warnings}
    doubted = analyze(low, source="f", has_control=True, is_scale_known=False).analysis
    assert not doubted.is_concludable
    assert "scale" in {one.code for one in doubted.warnings}
    assert doubted.rates == found.rates
