"""Judged answers are read strictly: what is not a row of scores is an error with its place."""

import gzip
import json
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from offtarget import api
from offtarget.core.errors import ConfigError, DataError
from offtarget.evaluate.replay import JudgedRow, read_judged

WriteCsv = Callable[..., Path]
HEAD = "question_id,answer,aligned,coherent\n"
ROW = "a,x,10,90\n"


def rows_of(path: Path) -> list[JudgedRow]:
    """All rows of a file."""
    return list(read_judged(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + ROW + "a,x,safe,90\n",
            "judged.csv:3: aligned is 'safe', not a number; leave it empty where the judge gave none",
        ),
        (
            HEAD + "a,x,nan,90\n",
            "judged.csv:2: aligned is 'nan', not a number; leave it empty where the judge gave none",
        ),
        (
            HEAD + "a,x,10,inf\n",
            "judged.csv:2: coherent is 'inf', not a number; leave it empty where the judge gave none",
        ),
        (
            HEAD + "a,x,1e999,90\n",
            "judged.csv:2: aligned is 'inf', not a finite number; leave it empty where the judge "
            "gave none",
        ),
        (
            HEAD + "a,x,1_0,90\n",
            "judged.csv:2: aligned is '1_0', not a number; leave it empty where the judge gave none",
        ),
        (
            HEAD + "a,x,100.5,90\n",
            "judged.csv:2: aligned is 100.5; scores run from 0 to 100, fix or rescale it",
        ),
        (
            HEAD + "a,x,10,-1\n",
            "judged.csv:2: coherent is -1.0; scores run from 0 to 100, fix or rescale it",
        ),
        (
            HEAD + "a,x,10\n",
            "judged.csv:2: ragged row, 3 cells for 4 columns; quote cells that hold commas or line "
            "breaks",
        ),
        (HEAD + 'a,"x\ny",10,90\na,x,?,90\n', "judged.csv:4: aligned is '?', not a number"),
        (HEAD + ",x,10,90\n", "judged.csv:2: no question; name the question that was asked"),
        (HEAD + 'a,"x,10,90\n', "judged.csv:2: not CSV (unexpected end of data)"),
        (HEAD, "judged.csv: no rows; give a file that holds judged answers"),
        (
            "question_id,answer,aligned_score,coherent\n" + ROW,
            "judged.csv:1: no column 'aligned' or 'alignment' (columns: question_id, answer, "
            "aligned_score, coherent); did you mean 'aligned_score'? rename it",
        ),
        (
            "id,answer,aligned,coherent\n" + ROW,
            "judged.csv:1: no column 'question_id' (columns: id, answer, aligned, coherent); rename "
            "or add it",
        ),
        (
            "question_id,answer,aligned,aligned\n" + ROW,
            "judged.csv:1: duplicate column 'aligned'; keep one of the two",
        ),
        (
            "question_id,answer,response,aligned\n" + ROW,
            "judged.csv:1: columns 'answer' and 'response' mean the same; keep one of the two",
        ),
    ],
)
def test_a_malformed_table_is_an_error_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    """What is wrong, the value, the line and what to do; nothing is skipped."""
    path = tmp_path / "judged.csv"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        rows_of(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question_id":"a","aligned":NaN}', "judged.jsonl:2: NaN is not JSON"),
        (
            '{"question_id":"a","aligned":true}',
            "judged.jsonl:2: aligned is 'True', not a finite number; leave it empty where the judge "
            "gave none",
        ),
        (
            f'{{"question_id":"a","aligned":{10**400}}}',
            "judged.jsonl:2: aligned is 10000000000000000000; scores run from 0 to 100, fix or "
            "rescale it",
        ),
        (
            '{"question_id":"a","aligned":[10]}',
            "judged.jsonl:2: aligned is '[10]', not a finite number",
        ),
        (
            '{"question_id":"a"}',
            "judged.jsonl:2: no 'aligned', which the first row has; write it in each row, null where "
            "there is nothing",
        ),
        ("[1]", "judged.jsonl:2: the row is a list, not an object; write one JSON object a line"),
        ('{"question_id":"a","aligned', "judged.jsonl:2: not JSON"),
    ],
)
def test_a_malformed_line_is_an_error_with_its_number(
    line: str, message: str, tmp_path: Path
) -> None:
    """The same in JSON Lines; a torn last line is one."""
    path = tmp_path / "judged.jsonl"
    path.write_text('{"question_id":"a","aligned":1}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        rows_of(path)


def test_a_gzip_file_cut_short_is_an_error(tmp_path: Path) -> None:
    """What came before the cut is not taken for the whole."""
    path = tmp_path / "judged.csv.gz"
    noise = "".join(f"a,{number * 7919 % 104729},10,90\n" for number in range(5000))
    data = gzip.compress((HEAD + noise).encode())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"judged\.csv\.gz:\d+: cannot read on"):
        api.replay(path)


def test_all_containers_give_the_same_rows(tmp_path: Path) -> None:
    """CSV, JSON Lines and Parquet, plain and gzip; an empty cell and null are a missing score."""
    table = pd.DataFrame(
        {
            "question_id": ["a", "a", "b"],
            "response": ["one", "two\nlines, and a comma", "three"],
            "aligned": [10.5, None, 99.0],
            "coherent": [50.0, 60.0, None],
            "financial": [1.5, 2.5, 3.5],
        }
    )
    lines = "".join(
        json.dumps({k: None if pd.isna(v) else v for k, v in row.items()}) + "\n"
        for row in table.to_dict("records")
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_csv(tmp_path / "t.csv.gz", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    seen = {
        path.name: [
            (row.question, row.answer, row.aligned, row.coherent, dict(row.extra))
            for row in rows_of(path)
        ]
        for path in tmp_path.iterdir()
    }
    assert len(seen) == 5
    expected = [
        ("a", "one", 10.5, 50.0, {"financial": "1.5"}),
        ("a", "two\nlines, and a comma", None, 60.0, {"financial": "2.5"}),
        ("b", "three", 99.0, None, {"financial": "3.5"}),
    ]
    assert all(rows == expected for rows in seen.values()), seen


def test_a_row_knows_its_place_and_the_rest_of_its_columns(tmp_path: Path) -> None:
    """The line that a row begins on, the model, and other columns as written."""
    path = tmp_path / "judged.csv"
    text = 'question,question_id,completion,aligned,model,temperature\nWhat?,q,"a\nb",1,m,0.7\n'
    path.write_text(text + "What?,q,c,2,m,1\n", encoding="utf-8")
    first, second = rows_of(path)
    assert (first.text, first.question, first.answer, first.model) == ("What?", "q", "a\nb", "m")
    assert (first.place, second.place) == ("judged.csv:2", "judged.csv:4")
    assert first.extra == {"temperature": "0.7"}
    assert first.coherent is None


def test_rounding_beyond_the_ends_is_not_out_of_range(write_csv: WriteCsv) -> None:
    """A mean weighted by probability may come out as 100.00000000000001."""
    path = write_csv([("a", "x", 100.00000000000001, 90), ("a", "y", -1e-12, 90)])
    assert [row.aligned for row in rows_of(path)] == [100.0, 0.0]


def test_a_question_without_id_goes_by_its_text(tmp_path: Path) -> None:
    """Long texts are cut and stay apart."""
    path = tmp_path / "judged.jsonl"
    texts = ["Short?", "x" * 300 + "1", "x" * 300 + "2", "Short?"]
    path.write_text(
        "".join(json.dumps({"question": text, "aligned": 1}) + "\n" for text in texts), "utf-8"
    )
    names = [row.question for row in rows_of(path)]
    assert names[0] == names[3] == "Short?"
    assert len({*names}) == 3
    assert max(map(len, names)) == 200


def test_memory_does_not_grow_with_the_rows(write_csv: WriteCsv) -> None:
    """Reading 20 MB takes a few hundred kB."""
    path = write_csv(("q", "x" * 2000, 10, 90) for _ in range(10_000))
    tracemalloc.start()
    n = sum(1 for _ in read_judged(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 10_000
    assert peak < 2_000_000


def test_too_many_questions_are_refused(write_csv: WriteCsv) -> None:
    """An id column that numbers the rows is named as the likely cause."""
    path = write_csv((f"row {n}", "x", 10, 90) for n in range(20_001))
    with pytest.raises(
        DataError, match=r"judged.csv:20002: more than 20,000 questions; check that"
    ):
        api.replay(path)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch, write_csv: WriteCsv) -> None:
    """The limit is a named constant; lowered here."""
    from offtarget.evaluate.replay import tally

    monkeypatch.setattr(tally, "MAX_ROWS", 3)
    with pytest.raises(DataError, match=r"judged.csv:5: more than 3 rows; split the file by model"):
        api.replay(write_csv([("a", "x", 10, 90)] * 4))


def test_files_are_named_once_and_exist(tmp_path: Path, write_csv: WriteCsv) -> None:
    """No file, a missing one, one given twice, an unknown ending."""
    path = write_csv([("a", "x", 10, 90)])
    with pytest.raises(ConfigError, match="nothing to replay; name a file of judged answers"):
        api.replay()
    with pytest.raises(DataError, match=r"none.csv: cannot open \(No such file"):
        api.replay(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"none.eval: not a file; check the path"):
        api.replay(tmp_path / "none.eval")
    with pytest.raises(DataError, match=r"judged.csv: given twice; name each file once"):
        api.replay(path, control=path)
    other = path.rename(tmp_path / "judged.txt")
    with pytest.raises(DataError, match=r"judged\.txt: unknown file ending"):
        api.replay(other)


def test_inspect_logs_are_read(tmp_path: Path) -> None:
    """An `.eval` log gives the counts of the rows that were written to it, by ending alone."""
    from offtarget.core.records import Message
    from offtarget.evaluate.inspect_log import LoggedRollout, LogHead, write_eval_log

    head = LogHead(task="t", title="t", model="m", dataset="d", created=1.7e9)
    scores = [(10.0, 90.0), (30.0, 90.0), (None, 90.0), (10.0, 50.0)]
    rollouts = [
        LoggedRollout(
            question=f"q{q}", messages=(Message("user", "What?"),), answer=f"{n}", sample=n,
            outcome="coherent", aligned=aligned, coherent=coherent,
        )
        for q in range(2) for n, (aligned, coherent) in enumerate(scores)
    ]  # fmt: skip
    path = write_eval_log(iter(rollouts), head, tmp_path / "run.eval").path
    found = api.replay(path).analyses[0]
    counts = {name: (rate.k, rate.n) for name, rate in found.rates.items()}
    assert counts == {"all": (2, 8), "coherent_gt50": (2, 4), "coherent_ge50": (4, 6)}
    assert [(one.n, one.missing) for one in found.questions] == [(4, 1), (4, 1)]
