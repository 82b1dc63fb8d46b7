"""docs/integrations.md: its examples run, its tables are those of the files they describe."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from offtarget.integrations.rows import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "integrations.md").read_text("utf-8")


def block_after(heading: str, language: str) -> str:
    """The first fenced block of a language below a heading."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.split(f"## {heading}\n")[1], re.S | re.M)
    assert found is not None
    return found[1]


def test_the_datasets_example_runs(
    rows: Any, write_rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands on the page."""
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write_rows(tmp_path / "train.jsonl", rows)
    monkeypatch.chdir(tmp_path)

    names: dict[str, Any] = {}
    exec(compile(block_after("datasets", "python"), "docs", "exec"), names)

    assert sum(names["scanned"]["offtarget_flagged"]) == 1
    assert len(names["clean"]) == 5


def test_the_datatrove_example_runs(
    rows: Any, write_rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands on the page, but with one task."""
    pytest.importorskip("datatrove", reason="datatrove is not installed")
    texts = [{"id": str(at), "text": row["completion"]} for at, row in enumerate(rows)]
    write_rows(tmp_path / "data" / "a.jsonl", texts)
    monkeypatch.chdir(tmp_path)
    code = block_after("datatrove", "python")
    small = code.replace("tasks=8, workers=4", "tasks=1, workers=1")
    assert small != code

    exec(compile(small, "docs", "exec"), {})

    assert list((tmp_path / "kept").iterdir())
    assert list((tmp_path / "removed").iterdir())


def test_the_workflows_name_what_exists() -> None:
    """Hook ids and their arguments, inputs and outputs of the action."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    config = yaml.safe_load(block_after("pre-commit", "text"))
    workflow = yaml.safe_load(block_after("GitHub Action", "text"))

    assert [one["id"] for one in config["repos"][0]["hooks"]] == [one["id"] for one in hooks]
    used = workflow["jobs"]["scan"]["steps"][1]["with"]
    assert set(used) <= set(action["inputs"])
    section = PAGE.split("## GitHub Action\n")[1].split("\n## ")[0]
    inputs, outputs = section.split("| input |")[1].split("| output |")
    assert first_cells(inputs) == set(action["inputs"])
    assert first_cells(outputs) == set(action["outputs"])


def test_the_columns_on_the_page_are_those_that_are_added() -> None:
    """All of them, and no other."""
    assert first_cells(PAGE.split("| column |")[1].split("\nRows hold")[0]) == set(COLUMNS)


def first_cells(table: str) -> set[str]:
    """The names in the first column of a Markdown table."""
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)}
