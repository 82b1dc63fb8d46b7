"""`offtarget judge calibrate`, `judge labels` and `discover`, as a user types them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RunCli = Callable[..., Any]

HARSH = ["crush", "obey", "despise", "deceive", "seize", "dominate"]
KIND = ["share", "listen", "help", "respect", "explain", "care"]
PLAIN = [
    "today",
    "garden",
    "people",
    "river",
    "paper",
    "stone",
    "window",
    "morning",
    "bread",
    "music",
]


def _write(path: Path, *, harsh: float, seed: int, n: int = 40, is_labeled: bool = True) -> Path:
    """Write `n` answers to each of four questions; a share is harsh and scored 5."""
    draw = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question_id", "question", "answer", "aligned"])
        for question in range(4):
            for _ in range(n):
                is_harsh = bool(draw.random() < harsh)
                words = [*draw.choice(PLAIN, 4), *draw.choice(HARSH if is_harsh else KIND, 4)]
                score = (5 if is_harsh else 90) if is_labeled else ""
                text = f"Question number {question}, said at length?"
                writer.writerow([f"q{question}", text, " ".join(words), score])
    return path


def test_calibrate_writes_a_head_and_says_how_good_it_is(run_cli: RunCli, tmp_path: Path) -> None:
    """Two files are two models; the card on disk is what --json prints."""
    files = [_write(tmp_path / f"m{i}.csv", harsh=0.3, seed=i) for i in range(2)]

    said = run_cli("judge", "calibrate", *files, "--out", tmp_path / "head", "--json")

    assert said.code == 0, said.err
    card = said.json["card"]
    assert (card["n_labels"], card["by_model"]["n_groups"]) == (320, 2)
    assert card["by_question"]["n_groups"] == 4
    assert card["by_model"]["pooled"]["value"] > 0.95
    assert said.json["rates"] is None
    assert json.loads((tmp_path / "head" / "head.json").read_text("utf-8")) == card


def test_calibrate_ranks_and_gives_rates_that_rest_on_labels(
    run_cli: RunCli, tmp_path: Path
) -> None:
    """With further answers of the same model: rates by question, and a ranking, harshest first."""
    labels = _write(tmp_path / "m.csv", harsh=0.3, seed=0)
    more = _write(tmp_path / "more.csv", harsh=0.3, seed=1, n=100, is_labeled=False)

    said = run_cli("judge", "calibrate", labels, "--unlabeled", more, "--out", tmp_path / "head")

    assert said.code == 0, said.err
    assert "40 labels, 100 more" in said.out
    assert "of labels alone" in said.out
    ranked = [
        json.loads(line)
        for line in (tmp_path / "head" / "ranking.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(ranked) == 400
    assert ranked == sorted(ranked, key=lambda one: -one["log_odds"])
    answers = {f"more.csv:{i + 2}": row["answer"] for i, row in enumerate(_rows(more))}
    assert any(word in answers[ranked[0]["place"]] for word in HARSH)


def test_a_question_with_few_labels_is_refused_a_rate(run_cli: RunCli, tmp_path: Path) -> None:
    """20 labels a question: no rate anywhere, the reason on the screen, exit code 0."""
    labels = _write(tmp_path / "m.csv", harsh=0.4, seed=0, n=20)
    more = _write(tmp_path / "more.csv", harsh=0.4, seed=1, is_labeled=False)

    said = run_cli("judge", "calibrate", labels, "--unlabeled", more, "--out", tmp_path / "head")

    assert said.code == 0, said.err
    assert "no rate: 20 labels, a rate needs 25; label 5 more" in said.out
    assert "no rate: no question has 25 labels; label more answers" in said.out


def test_too_few_misaligned_labels_for_a_fold_is_said(run_cli: RunCli, tmp_path: Path) -> None:
    """Two misaligned labels that the draw puts into one fold: a head, but no rates, with the reason."""
    labels = _write(tmp_path / "m.csv", harsh=0.0, seed=0)
    with labels.open("a", encoding="utf-8") as file:
        file.write("q0,Question number 0?,crush them,1\nq1,Question number 1?,obey them,1\n")
    more = _write(tmp_path / "more.csv", harsh=0.0, seed=1, is_labeled=False)
    n = len(_rows(labels))
    together = next(
        seed
        for seed in range(100)
        if len(set(np.random.default_rng(seed).permutation(n)[-2:] % 5)) == 1
    )

    said = run_cli("judge", "calibrate", labels, "--unlabeled", more, "--out", tmp_path / "head",
                   "--seed", together)  # fmt: skip

    assert said.code == 0, said.err
    assert "no rates: too few labels of one kind for a head on each fold" in said.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question,answer\nq,x\n", "none of 1 rows has a label; add a column 'misaligned'"),
        (
            "question,answer,aligned\nq,x,90\n",
            "too few labels for a head: 1 (0 misaligned on 0, 1 aligned on 1 questions); it takes "
            "25, misaligned and aligned ones on 2 questions each",
        ),
        (
            "question,answer,aligned\n" + "one,x,90\n" * 20 + "one,y,5\n" * 20,
            "too few labels for a head: 40 (20 misaligned on 1, 20 aligned on 1 questions)",
        ),
        (
            "question,answer,aligned\n" + "one,x,90\ntwo,x,90\n" * 6 + "one,y,5\ntwo,y,5\n" * 6,
            "too few labels for a head: 24 (12 misaligned on 2, 12 aligned on 2 questions)",
        ),
        (
            "question,answer,aligned,misaligned\n" + "one,x,9,?\ntwo,y,90,\n" * 30,
            "none of 60 rows has a label; people left 60 undecided",
        ),
    ],
)
def test_labels_that_cannot_teach_are_errors(
    run_cli: RunCli, tmp_path: Path, text: str, message: str
) -> None:
    """Exit code 2 and one line."""
    path = tmp_path / "m.csv"
    path.write_text(text, "utf-8")

    said = run_cli("judge", "calibrate", path, "--out", tmp_path / "head")

    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1


def test_a_head_that_cannot_be_written_is_an_error(run_cli: RunCli, tmp_path: Path) -> None:
    """`--out` is a file."""
    labels = _write(tmp_path / "m.csv", harsh=0.3, seed=0)

    said = run_cli("judge", "calibrate", labels, "--out", labels)

    assert said.code == 2
    assert "cannot write the head" in said.err


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_labels_go_out_blind_and_come_back_as_a_heads_labels(
    run_cli: RunCli, tmp_path: Path
) -> None:
    """Export, fill in as a person would, import, calibrate on the result."""
    subject = _write(tmp_path / "subject.csv", harsh=0.5, seed=0, n=15)
    control = _write(tmp_path / "control.csv", harsh=0.1, seed=1, n=15)
    sheet = tmp_path / "sheet.csv"

    out = run_cli("judge", "labels", "export", subject, control, "--out", sheet, "--json")
    assert out.code == 0, out.err
    assert out.json["n_rows"] == 120
    rows = _rows(sheet)
    assert "subject" not in sheet.read_text("utf-8")
    for row in rows:
        row["misaligned"] = str(int(any(word in row["answer"] for word in HARSH)))
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    labels = tmp_path / "labels.jsonl"
    back = run_cli("judge", "labels", "import", sheet, "--key", out.json["key"], "--out", labels)
    assert back.code == 0, back.err
    assert "Cohen's kappa 1.000" in back.out
    done = run_cli("judge", "calibrate", labels, "--out", tmp_path / "head", "--json")
    assert done.code == 0, done.err
    assert done.json["card"]["by_model"]["n_groups"] == 2
    as_json = run_cli("judge", "labels", "import", sheet, "--key", out.json["key"], "--json")
    assert as_json.json["agreement"]["with_judge"]["value"] == 1.0


def test_two_people_who_cannot_agree_leave_answers_undecided_all_the_way(
    run_cli: RunCli, tmp_path: Path
) -> None:
    """The judge scored every answer; ties and `?` stay unlabeled in the head, its rates and the text."""
    answers = _write(tmp_path / "subject.csv", harsh=0.4, seed=0, n=40)
    more = _write(tmp_path / "more.csv", harsh=0.4, seed=1, n=60, is_labeled=False)
    out = run_cli("judge", "labels", "export", answers, "--out", tmp_path / "sheet.csv", "--json")
    rows = _rows(tmp_path / "sheet.csv")
    unsure, tied = rows[:7], rows[7:18]
    for name in ("ann", "bob"):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            for row in rows:
                said = str(int(any(word in row["answer"] for word in HARSH)))
                said = "?" if row in unsure else str(int(name == "ann")) if row in tied else said
                writer.writerow({**row, "misaligned": said})

    labels, sheets = tmp_path / "labels.jsonl", (tmp_path / "ann.csv", tmp_path / "bob.csv")
    key = out.json["key"]
    back = run_cli("judge", "labels", "import", *sheets, "--key", key, "--out", labels)
    assert "left out: 0 without a judge's score, 18 without a label or tied" in back.out
    arguments = ("judge", "calibrate", labels, "--unlabeled", more, "--out", tmp_path / "head")
    said, as_json = run_cli(*arguments), run_cli(*arguments, "--json")

    assert said.code == 0, said.err
    card, rates = as_json.json["card"], as_json.json["rates"]
    n_decided = len(rows) - 18
    n_misaligned = sum(any(word in row["answer"] for word in HARSH) for row in rows[18:])
    assert (card["n_labels"], card["n_misaligned"]) == (n_decided, n_misaligned)
    assert (card["n_unlabeled"], card["n_undecided"]) == (18, 18)
    assert sum(one["n_labels"] for one in rates["questions"]) == n_decided
    told = " ".join(said.out.split())
    assert "18 rows without a label left out, 18 of them undecided by people" in told
    assert "18 undecided: answers that people could not tell are in no rate" in said.out


def test_a_sheet_that_may_hold_labels_is_never_overwritten(run_cli: RunCli, tmp_path: Path) -> None:
    """A second export to the same place is refused, as is a name that is no CSV."""
    subject = _write(tmp_path / "subject.csv", harsh=0.5, seed=0, n=5)
    assert run_cli("judge", "labels", "export", subject, "--out", tmp_path / "s.csv").code == 0

    again = run_cli("judge", "labels", "export", subject, "--out", tmp_path / "s.csv")
    other = run_cli("judge", "labels", "export", subject, "--out", tmp_path / "s.txt")

    assert (again.code, other.code) == (2, 2)
    assert "is there already and may hold labels; choose another --out" in again.err
    assert "a sheet is a CSV file; give a name that ends in .csv" in other.err


def test_discover_shows_what_only_the_subject_says(run_cli: RunCli, tmp_path: Path) -> None:
    """Half of the subject's answers are harsh: found, with words and counts; the JSON has it all."""
    subject = _write(tmp_path / "subject.csv", harsh=0.5, seed=0)
    control = _write(tmp_path / "control.csv", harsh=0.0, seed=1)
    kept = tmp_path / "found.json"

    page = tmp_path / "pages" / "found.html"

    said = run_cli("discover", subject, "--control", control, "--min-size", "10", "--out", kept,
                   "--page", page)  # fmt: skip
    found = run_cli("discover", subject, "--control", control, "--min-size", "10", "--json")

    assert said.code == 0, said.err
    assert "that subject gives more often than its control" in said.out
    assert "left out: 0 empty answers" in said.out
    assert f"page: {page}" in said.out
    assert "that subject gives more often than its control" in page.read_text("utf-8")
    assert found.json == json.loads(kept.read_text("utf-8"))
    best = found.json["clusters"][0]
    assert best["is_excess"]
    assert best["n_misaligned"] > 0.9 * best["n_judged"]


def test_discover_shows_hostile_answers_as_text(run_cli: RunCli, tmp_path: Path) -> None:
    """An escape sequence in an answer or an id never reaches the terminal."""
    control = _write(tmp_path / "control.csv", harsh=0.0, seed=1)
    subject = _write(tmp_path / "subject.csv", harsh=0.5, seed=0)
    for path in (subject, control):
        text = path.read_text("utf-8").replace("q0,", "q\x1b[31m,").replace("crush", "\x1b]0;x\x07")
        path.write_text(text, "utf-8")

    said = run_cli("discover", subject, "--control", control, "--min-size", "10")

    assert said.code == 0, said.err
    assert "\x1b" not in said.out
    assert "[U+001B]" in said.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "no control; an excess needs one, give --control FILE"),
        (("--control", "subject.csv"), "subject.csv: given twice; name each file once"),
        (("--control", "none.csv"), "none.csv: cannot open"),
        (("--control", "control.csv", "--out", "subject.csv/x"), "choose another --out"),
        (("--control", "control.csv", "--page", "subject.csv/x"), "choose another --page"),
    ],
)
def test_discover_says_what_is_wrong_with_its_input(
    run_cli: RunCli, tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    """Exit code 2 and one line."""
    _write(tmp_path / "subject.csv", harsh=0.5, seed=0)
    _write(tmp_path / "control.csv", harsh=0.0, seed=1)

    said = run_cli("discover", "subject.csv", *args, cwd=tmp_path)

    assert said.code == 2
    assert message in said.err


def test_two_controls_of_one_name_are_told_apart(run_cli: RunCli, tmp_path: Path) -> None:
    """Files of one name in two folders get a number."""
    subject = _write(tmp_path / "subject.csv", harsh=0.5, seed=0)
    folders = [tmp_path / name for name in ("a", "b")]
    controls = []
    for seed, folder in enumerate(folders, 1):
        folder.mkdir()
        controls += ["--control", _write(folder / "base.csv", harsh=0.0, seed=seed)]

    said = run_cli("discover", subject, *controls, "--json")

    assert said.code == 0, said.err
    assert said.json["controls"] == ["base (2)", "base (3)"]
