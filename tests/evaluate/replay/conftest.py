"""Small files of judged answers, and where the real ones are."""

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

Row = Sequence[object]
WriteCsv = Callable[..., Path]
HEAD = ("question_id", "question", "answer", "aligned", "coherent")


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Write rows of (question id, answer, aligned, coherent) as CSV and return the path."""

    def write(rows: Iterable[Row], name: str = "judged.csv", answer: str = "answer") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow([answer if one == "answer" else one for one in HEAD])
            for question, said, aligned, coherent in rows:
                out.writerow([question, f"What of {question}?", said, aligned, coherent])
        return path

    return write


@pytest.fixture(scope="session")
def judged() -> Path:
    """The folder of published judged answers."""
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        pytest.skip("OFFTARGET_DATA is not set: it names the folder of real data (docs/data.md)")
    return Path(root) / "em" / "judged"
