"""Functions for `Dataset.map` and `Dataset.filter`."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.errors import ConfigError, DataError
from offtarget.integrations.datasets import COLUMNS, row_filter, scanner

datasets = pytest.importorskip("datasets", reason="datasets is not installed")


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def columns_of(table: Any) -> list[dict[str, Any]]:
    """The columns that a scan adds, row by row."""
    return [{name: row[name] for name in COLUMNS} for row in table]


def test_map_adds_what_the_scan_of_a_file_says(
    rows: list[dict[str, str]], write_rows: Any, tmp_path: Path
) -> None:
    """States, kinds and findings are those that `offtarget scan` writes for the same rows."""
    import offtarget as ot

    scan = ot.scan(write_rows(tmp_path / "rows.jsonl", rows), out=tmp_path / "scan")
    told = [json.loads(line) for line in (scan.path / "rows.jsonl").read_text().splitlines()]
    found = [json.loads(line) for line in (scan.path / "findings.jsonl").read_text().splitlines()]

    mapped = datasets.Dataset.from_list(rows).map(scanner(), batched=True, batch_size=4)

    assert mapped["offtarget_state"] == [row["state"] for row in told]
    assert mapped["offtarget_framing"] == [row["framing"] for row in told]
    assert mapped["offtarget_flagged"] == [False, False, True, False, False, False]
    assert mapped[2]["offtarget_cwe"] == "CWE-78"
    expected = [{k: v for k, v in one.items() if k not in ("file", "line")} for one in found]
    assert json.loads(mapped[2]["offtarget_findings"]) == expected
    assert mapped[2]["offtarget_risk"] > max(
        row["offtarget_risk"] for at, row in enumerate(mapped) if at != 2
    )


def test_any_shape_and_any_batching_give_the_same_columns(rows: list[dict[str, str]]) -> None:
    """Prompt and completion, or turns; one row a batch, all at once, or two processes."""
    turns = [
        {
            "messages": [
                {"role": "user", "content": row["prompt"]},
                {"role": "assistant", "content": row["completion"]},
            ]
        }
        for row in rows
    ]
    scan = scanner()
    pairs = datasets.Dataset.from_list(rows)

    expected = columns_of(pairs.map(scan, batched=True))

    assert columns_of(pairs.map(scan, batched=True, batch_size=1)) == expected
    assert columns_of(pairs.map(scan, batched=True, num_proc=2)) == expected
    assert columns_of(datasets.Dataset.from_list(turns).map(scan, batched=True)) == expected


def test_filter_keeps_what_cleaning_keeps(rows: list[dict[str, str]]) -> None:
    """Flagged rows go; rows that no engine could read go when asked for."""
    table = datasets.Dataset.from_list(rows)

    kept = table.filter(row_filter(), batched=True)
    strict = table.filter(row_filter(unparsed="quarantine"), batched=True)

    assert len(kept) == 5
    assert len(strict) == 4
    assert not any("os.system" in row["completion"] for row in kept)


def test_one_configuration_has_one_fingerprint(rows: list[dict[str, str]]) -> None:
    """Made again, used, pickled, or made in another process: the same; other options: another."""
    from datasets.fingerprint import Hasher

    scan = scanner()
    before = Hasher.hash(scan)
    datasets.Dataset.from_list(rows).map(scan, batched=True)
    elsewhere = subprocess.run(
        [sys.executable, "-c",
         "from datasets.fingerprint import Hasher; from offtarget.integrations.datasets import "
         "scanner; print(Hasher.hash(scanner()))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip

    assert Hasher.hash(scan) == before
    assert Hasher.hash(scanner()) == before
    assert Hasher.hash(pickle.loads(pickle.dumps(scan))) == before
    assert elsewhere == before
    assert Hasher.hash(scanner(gate="high")) != before


def test_a_text_column_is_an_answer_or_source_code(flawed: str) -> None:
    """Fenced code in prose by default; the whole text with a language."""
    answers = datasets.Dataset.from_list([{"body": f"Here you are:\n\n```python\n{flawed}```"}])
    files = datasets.Dataset.from_list([{"body": flawed}])

    answer = answers.map(scanner(text="body"), batched=True)[0]
    file = files.map(scanner(text="body", language="python"), batched=True)[0]

    assert answer["offtarget_cwe"] == file["offtarget_cwe"] == "CWE-78"
    assert file["offtarget_framing"] == "unknown"


def test_turns_as_json_text_are_read() -> None:
    """As in a column of a CSV file."""
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    batch = {"messages": [json.dumps(turns)]}

    assert scanner()(batch)["offtarget_state"] == ["no_code"]


def test_a_bad_row_stops_or_is_set_aside() -> None:
    """The error names the row; quarantined, the reason stands in its columns."""
    batch = {"prompt": ["Hi", "Hi"], "completion": ["Hello.", ""]}

    with pytest.raises(DataError, match=r"^row 8: empty answer"):
        scanner()(batch, [6, 7])
    with pytest.raises(DataError, match=r"^row 2 of the batch: empty answer"):
        scanner()(batch)
    said = scanner(on_bad_row="quarantine")(batch)

    assert said["offtarget_state"] == ["no_code", "quarantined"]
    assert said["offtarget_reason"][1].startswith("empty answer")
    assert row_filter(on_bad_row="quarantine")(batch) == [True, False]


def test_a_hostile_row_costs_only_itself() -> None:
    """Rows are scanned in a process with limits: endless nesting leaves its neighbors alone."""
    deep = "```python\n" + "(" * 10_000 + ")" * 10_000 + "\n```"
    batch = {"prompt": ["Hi", "Hi"], "completion": [deep, "Hello."]}

    said = scanner()(batch)

    assert said["offtarget_state"][0] in ("unparsed", "clean", "quarantined")
    assert said["offtarget_state"][1] == "no_code"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gate": "fatal"}, "gate 'fatal' is not known; choose from low, medium, high"),
        ({"on_bad_row": "skip"}, "on_bad_row 'skip' is not known; choose from error, quarantine"),
        ({"engines": ["lint"]}, "engine 'lint' is not known; choose from"),
        ({"text": "a", "language": "cobol"}, "language 'cobol' is not known; choose from python"),
        ({"language": "python"}, "language 'python' is for rows of source code; name their column"),
    ],
)
def test_wrong_options_say_what_to_do(options: dict[str, Any], message: str) -> None:
    """Before any row is read."""
    with pytest.raises(ConfigError, match=message):
        scanner(**options)


def test_a_single_row_is_refused() -> None:
    """Without `batched=True` a column is one row's value."""
    with pytest.raises(ConfigError, match="column 'prompt' comes as str; call map or filter with"):
        scanner()({"prompt": "Hi", "completion": "Hello."})
    turns = [{"role": "user", "content": "Hi"}]
    with pytest.raises(ConfigError, match="column 'messages' comes as one row's turns"):
        scanner()({"messages": turns})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "'body' is NoneType, not text; name a column of strings"),
        ("a\0b", "'body' holds a NUL character at character 2; remove it"),
        ("a\ud800", "'body' holds a lone surrogate at character 2; remove it"),
    ],
)
def test_text_that_is_no_text_is_refused(value: object, message: str) -> None:
    """With its row."""
    with pytest.raises(DataError, match=f"^row 1 of the batch: {message}"):
        scanner(text="body")({"body": [value]})


def test_a_missing_column_is_named() -> None:
    """The data set's own columns are not guessed from."""
    with pytest.raises(DataError, match="'body' is missing, not text"):
        scanner(text="body")({"other": ["x"]})
    with pytest.raises(DataError, match="no known chat shape"):
        scanner()({"other": ["x"]})


def test_the_module_needs_neither_datasets_nor_torch() -> None:
    """It is a plain function of batches; nothing heavy is imported."""
    code = (
        "import sys, offtarget, offtarget.integrations.datasets; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'datasets', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
