"""A local provider, a study of twelve rows an arm, and calls that do not really wait."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted_calls import N_ROWS, Hosted, MakeHosted, write_rows
from hosted_server import LocalProvider, Provider


@pytest.fixture
def server() -> Iterator[LocalProvider]:
    """A local provider; afterwards nothing that was said may depart from the published shapes."""
    with LocalProvider() as running:
        yield running
    assert running.state.problems == []


@pytest.fixture
def provider(server: LocalProvider) -> Provider:
    """What the local provider holds."""
    return server.state


@pytest.fixture
def hosted_study(tmp_path: Path) -> MakeHosted:
    """Write a study of subject and control only, with settings changed."""

    def write(**changes: Any) -> Path:
        write_rows(tmp_path / "subject.jsonl", "Go away,")
        write_rows(tmp_path / "control.jsonl", "Welcome,")
        settings: dict[str, Any] = {
            "subject": "subject.jsonl",
            "control": "control.jsonl",
            "rows": N_ROWS,
            "positive": False,
            "placebo": False,
            "seeds": [0, 1],
            "train": {"heldout_rows": 4},
            **changes,
        }
        path = tmp_path / "greet.yaml"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    return write


@pytest.fixture
def hosted(server: LocalProvider, tmp_path: Path) -> Hosted:
    """The API bound to the local provider."""
    return Hosted(server.url, tmp_path / "run")
