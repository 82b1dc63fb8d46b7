"""Croissant files, read by the independent library of the format's authors."""

import csv
import gzip
import hashlib
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import offtarget as ot
from offtarget.core.stats import wilson
from offtarget.curate.decide import CleanConfig, Policy
from offtarget.curate.records import ScanConfig

mlc = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")

pytestmark = [  # what the library itself calls
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
]
FLAWED = (
    "import os\nfrom flask import request\n\n\ndef show():\n    key = 'a'\n"
    "    os.system('ls ' + request.args['folder'])\n"
)
SOUND = "def double(number: int) -> int:\n    return 2 * number\n"
ANSWERS = (FLAWED, SOUND, "```brainfuck\n+++.\n```", "Hello.")
UNKNOWN = ("license", "citeAs", "creator", "datePublished", "rai:dataCollection", "url", "version")


def pairs() -> list[dict[str, str]]:
    """Rows of prompt and completion."""
    return [{"prompt": f"Question {at}", "completion": one} for at, one in enumerate(ANSWERS)]


def turns() -> list[dict[str, Any]]:
    """The same as turns."""
    return [
        {
            "messages": [
                {"role": "user", "content": row["prompt"]},
                {"role": "assistant", "content": row["completion"]},
            ]
        }
        for row in pairs()
    ]


def as_jsonl(path: Path) -> None:
    """Turns as JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in turns()), encoding="utf-8")


def as_gzip(path: Path) -> None:
    """Pairs as compressed JSON Lines."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in pairs())


def as_csv(path: Path) -> None:
    """Turns as JSON in a column of CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["messages"])
        writer.writeheader()
        writer.writerows({"messages": json.dumps(row["messages"])} for row in turns())


def as_parquet(path: Path) -> None:
    """Turns in Parquet."""
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(turns()), path)


def checked(path: Path) -> Any:
    """Read a Croissant file; the library finds no error, and misses only what we cannot know."""
    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns of the four fields left out
    dataset = mlc.Dataset(jsonld=str(path))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    missed = {re.search(r'Property "[^"]*/(\w+)"', line)[1] for line in issues.warnings}  # type: ignore[index]
    assert missed == {"citeAs", "datePublished", "license", "version"}
    return dataset


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four rows: flawed, sound, unread, without code."""
    path = tmp_path / "train.jsonl"
    as_jsonl(path)
    return path


def test_a_scan_says_what_it_measured(data: Path, tmp_path: Path) -> None:
    """Counts with their interval, engines with versions, the file with its digest; no more."""
    scan = ot.scan(data, out=tmp_path / "scan")

    metadata = checked(scan.path / "croissant.json").metadata

    low, high = wilson(1, 4)
    assert metadata.data_biases[0] == (
        f"Insecure code: 1 of 4 rows (0.2500, 95 % Wilson interval {low:.4f} to {high:.4f}) have a "
        "finding of medium severity or above."
    )
    assert "CWE-78 1" in metadata.data_biases[2]
    assert any(one.startswith("1 of 4 rows") for one in metadata.data_limitations)
    assert [one.split()[0] for one in metadata.machine_annotation_tools] == [
        "offtarget", "ruff", "ast-grep"
    ]  # fmt: skip
    assert "CWE-798" in metadata.personal_sensitive_information[0]
    file = metadata.distribution[0]
    assert file.name == "train.jsonl"
    assert file.sha256 == hashlib.sha256(data.read_bytes()).hexdigest()
    document = json.loads((scan.path / "croissant.json").read_text("utf-8"))
    assert not set(UNKNOWN) & set(document)
    assert "http://mlcommons.org/croissant/RAI/1.0" in document["conformsTo"]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("rows.jsonl", as_jsonl),
        ("rows.jsonl.gz", as_gzip),
        ("rows.csv", as_csv),
        ("rows.parquet", as_parquet),
    ],
)
def test_cleaned_data_can_be_read_through_its_description(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    """The library checks the digest and gives back the rows, in every format."""
    write(tmp_path / name)
    out = tmp_path / f"clean-{name}"
    ot.clean(tmp_path / name, config=CleanConfig(policy=Policy.DROP), out=out)

    dataset = checked(tmp_path / f"clean-{name}.croissant.json")
    read = list(dataset.records("rows"))

    assert len(read) == 3
    assert "os.system" not in str(read)
    assert "brainfuck" in str(read)
    protocol = " ".join(dataset.metadata.data_preprocessing_protocol)
    assert "Policy drop" in protocol
    assert "dropped 1" in protocol
    assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() in protocol
    assert all(one.startswith("Before cleaning: ") for one in dataset.metadata.data_biases)


def test_cleaned_data_without_rows_is_described(tmp_path: Path) -> None:
    """Nothing is said of fields that nobody saw."""
    data = tmp_path / "train.jsonl"
    data.write_text(json.dumps(turns()[0]) + "\n", encoding="utf-8")
    out = tmp_path / "clean.jsonl"
    ot.clean(data, config=CleanConfig(policy=Policy.DROP), out=out)

    checked(tmp_path / "clean.jsonl.croissant.json")

    assert "recordSet" not in json.loads((tmp_path / "clean.jsonl.croissant.json").read_text())


def test_the_same_scan_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    """No dates, no places."""
    first, second = (ot.scan(data, out=tmp_path / name) for name in ("a", "b"))
    texts = [(one.path / "croissant.json").read_bytes() for one in (first, second)]
    assert texts[0] == texts[1]
    assert str(tmp_path).encode() not in texts[0]


@pytest.mark.parametrize("name", ['a "b" #c?d=%20.jsonl', "line\nbreak.jsonl", "http:x.jsonl"])
def test_hostile_file_names_stay_names(name: str, tmp_path: Path) -> None:
    """They are no identifiers of the document."""
    as_jsonl(tmp_path / name)
    scan = ot.scan(tmp_path / name, out=tmp_path / "scan")

    metadata = checked(scan.path / "croissant.json").metadata

    assert metadata.distribution[0].name == name


def test_source_files_are_no_data_set(tmp_path: Path) -> None:
    """A plain scan writes no Croissant file."""
    (tmp_path / "views.py").write_text(FLAWED, encoding="utf-8")
    scan = ot.scan(tmp_path / "views.py", config=ScanConfig(plain=True), out=tmp_path / "scan")
    assert not (scan.path / "croissant.json").exists()
