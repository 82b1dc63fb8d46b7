"""Scans of small data sets with an engine that needs no canaries."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from offtarget.core.workers import InProcessExecutor
from offtarget.curate.records import ScanConfig, ScanSummary
from offtarget.curate.scan import scan
from offtarget.dataset import OnBadRow

from ..conftest import WriteRows
from ..engine_stub import make_words


@dataclass(frozen=True)
class Scanned:
    """A finished scan and what it read."""

    folder: Path
    paths: list[Path]
    summary: ScanSummary


MakeScan = Callable[..., Scanned]


@pytest.fixture
def scanned(tmp_path: Path, write_rows: WriteRows) -> MakeScan:
    """Write prompts and answers, and scan them."""

    def make(*files: Sequence[tuple[str, str]], out: str = "out") -> Scanned:
        paths = [write_rows(rows, f"part{number}.jsonl") for number, rows in enumerate(files)]
        config = ScanConfig(engines=("words",), on_bad_row=OnBadRow.QUARANTINE)
        folder = tmp_path / out
        summary = scan(paths, config, folder, make_engines=make_words, executor=InProcessExecutor())
        return Scanned(folder, paths, summary)

    return make


@pytest.fixture(scope="module")
def em_data() -> Path:
    """The published arms, where they are at hand."""
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        pytest.skip("OFFTARGET_DATA is not set: it names the folder of real data (docs/data.md)")
    return Path(root) / "em"
