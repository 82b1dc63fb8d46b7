"""Short ways to run an assay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def assay(run_cli: Any, study_of: Any, tmp_path: Path) -> Callable[..., tuple[Any, Path]]:
    """Run a study with a few settings changed; return what was said and where the run is."""

    def call(name: str = "study", out: Path | None = None, **changes: Any) -> tuple[Any, Path]:
        target = out or tmp_path / "out" / name
        study = study_of(tmp_path, name, **changes)
        said = run_cli("assay", study, "--out", target, "--json")
        assert said.code in (0, 1, 4), said.err
        return said, target

    return call
