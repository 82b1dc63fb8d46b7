"""Answers out to be labeled blind, and labels back in."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from offtarget.core.errors import DataError
from offtarget.evaluate.labels import (
    Export,
    export_answers,
    import_labels,
    label_agreement,
    labeled_rows,
    labels_of,
    read_answers,
)
from offtarget.evaluate.replay import JudgedRow


def _row(question: str, answer: str, aligned: float | None = None, model: str = "m") -> JudgedRow:
    return JudgedRow(question, f"{question}?", answer, aligned, None, "f.csv:2", model)


def _rows() -> list[tuple[str, JudgedRow]]:
    rows = []
    for question in ("q1", "q2", "q3"):
        for number in range(6):
            rows.append(("subject", _row(question, f"s{number} {question}", 10.0, "evil-7b")))
            rows.append(("control", _row(question, f"c{number} {question}", 90.0, "good-7b")))
    return rows


def _sheet(export: Export) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export.sheet.decode(), newline="")))


def _fill(
    folder: Path, export: Export, vote: Callable[[dict[str, str]], str], name: str = "ann.csv"
) -> tuple[Path, Path]:
    rows = [{**row, "misaligned": vote(row)} for row in _sheet(export)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    sheet, key = folder / name, folder / "key.jsonl"
    sheet.write_text(text.getvalue(), "utf-8")
    key.write_bytes(export.key)
    return sheet, key


def test_the_sheet_tells_nothing_of_arm_model_score_or_file() -> None:
    """Blind: no such column, no such word, and an order that does not follow the arms."""
    export = export_answers(_rows(), seed=1)

    text = export.sheet.decode()
    for word in ("subject", "control", "evil-7b", "good-7b", "f.csv", "10.0", "90.0"):
        assert word not in text
    arms = "".join(row["answer"][0] for row in _sheet(export))
    assert sorted(arms) == ["c"] * 18 + ["s"] * 18
    assert arms not in ("s" * 18 + "c" * 18, "c" * 18 + "s" * 18, "sc" * 18)


def test_ids_hang_on_the_answer_alone_and_the_order_on_the_seed() -> None:
    """Another seed gives the same ids in another order; the same seed gives the same bytes."""
    first, again, other = (export_answers(_rows(), seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first.sheet != other.sheet
    assert {r["id"] for r in _sheet(first)} == {r["id"] for r in _sheet(other)}


def test_the_same_answer_is_labeled_once() -> None:
    """Two arms that gave one answer share a row of the sheet and keep two rows of the key."""
    rows = [("a", _row("q", "same")), ("b", _row("q", "same")), ("b", _row("q", " "))]

    export = export_answers(rows, seed=0)

    assert (export.n_sheet, export.n_rows, export.n_empty) == (1, 2, 1)


def test_a_limit_is_spread_over_questions() -> None:
    """Six answers of three questions: two each."""
    export = export_answers(_rows(), seed=0, limit=6)

    asked = [row["question"] for row in _sheet(export)]
    assert sorted(asked) == ["q1?", "q1?", "q2?", "q2?", "q3?", "q3?"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_a_formula(start: str) -> None:
    """An answer that a spreadsheet would run is made text."""
    export = export_answers([("a", _row("q", f"{start}1+1"))], seed=0)

    assert _sheet(export)[0]["answer"] == f"'{start}1+1"


def test_labels_come_back_and_are_set_beside_the_judge(tmp_path: Path) -> None:
    """Ann agrees but for one answer: 17 both, 1 only judge, 18 neither; kappa worked by hand."""
    export = export_answers(_rows(), seed=3)

    def vote(row: dict[str, str]) -> str:
        return "0" if row["answer"] == "s0 q1" else str(int(row["answer"].startswith("s")))

    sheet, key = _fill(tmp_path, export, vote)
    imported = import_labels([sheet], key=key)
    found = label_agreement(imported)

    assert (found.n_both, found.n_only_people, found.n_only_judge, found.n_neither) == (
        17,
        0,
        1,
        18,
    )
    chance = (17 * 18 + 19 * 18) / 36**2
    assert found.with_judge.value == pytest.approx((35 / 36 - chance) / (1 - chance))
    assert found.with_judge.n_questions == 3
    assert found.with_judge.low is not None
    assert found.among_people is None
    assert imported.raters == ("ann",)

    out = tmp_path / "labels.jsonl"
    out.write_bytes(labeled_rows(imported))
    labels = labels_of(read_answers(out))
    assert labels.n_misaligned == 17
    assert len(labels.labels) == 36
    assert {one.model for one in labels.labels} == {"evil-7b", "good-7b"}


def test_two_people_a_tie_a_blank_and_a_doubt_are_counted(tmp_path: Path) -> None:
    """A tie decides nothing, nor does an answer that nobody labeled; an unjudged row is counted."""
    rows = [("a", _row("q1", "w")), ("a", _row("q1", "x", 10.0)), ("a", _row("q2", "y", 10.0)),
            ("a", _row("q2", "z", 80.0))]  # fmt: skip
    export = export_answers(rows, seed=0)
    ann = {"w": "1", "x": "1", "y": "1", "z": "0"}
    bob = {"w": "1", "x": "0", "y": "?", "z": ""}
    first, key = _fill(tmp_path, export, lambda row: ann[row["answer"]])
    second, _ = _fill(tmp_path, export, lambda row: bob[row["answer"]], "bob.csv")

    imported = import_labels([first, second], key=key)
    found = label_agreement(imported)

    assert (imported.n_blank, imported.n_cannot_tell) == ((0, 1), (0, 1))
    assert (found.n_undecided, found.n_unjudged) == (1, 1)
    assert found.with_judge.n_items == 2
    assert found.among_people is not None
    assert found.among_people.n_items == 2


def test_nothing_to_label_is_an_error() -> None:
    """Rows without an answer make no sheet."""
    with pytest.raises(DataError, match=r"nothing to label: 1 rows, none with an answer"):
        export_answers([("a", _row("q", ""))], seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(",1,", ",maybe,", 1), "misaligned is 'maybe'; write 1"),
        (lambda text: text.replace("misaligned", "verdict", 1), "no columns 'id' and 'misaligned'"),
        (lambda text: text + text.splitlines()[1] + "\n", "stands twice; keep one of the two"),
        (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "1 of 36 rows are missing"),
        (lambda text: text + "a00,q,x,1,\n", "id 'a00' is not in the key"),
        (lambda text: text + "a00,q,x,1,,,,\n", "ragged row"),
    ],
)
def test_a_sheet_that_is_not_the_exported_one_says_where(
    tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    """Each kind of damage is an error that names file and line."""
    sheet, key = _fill(tmp_path, export_answers(_rows(), seed=0), lambda _: "1")
    sheet.write_text(change(sheet.read_text("utf-8")), "utf-8")

    with pytest.raises(DataError, match=r"^ann\.csv") as caught:
        import_labels([sheet], key=key)

    assert message in str(caught.value)


def test_a_missing_or_empty_key_is_an_error(tmp_path: Path) -> None:
    """Without its key a sheet says nothing."""
    sheet, key = _fill(tmp_path, export_answers(_rows(), seed=0), lambda _: "1")
    with pytest.raises(DataError, match=r"no such key; it was written next to the exported sheet"):
        import_labels([sheet], key=tmp_path / "none.jsonl")
    key.write_bytes(b"")
    with pytest.raises(DataError, match=r"an empty key; restore the file or export again"):
        import_labels([sheet], key=key)
