"""Ways to write samples shortly, and engines that need no canaries."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from offtarget.core.records import Message
from offtarget.curate.records import PlacedRow

MakeRow = Callable[..., PlacedRow]
WriteRows = Callable[..., Path]


@pytest.fixture
def row() -> MakeRow:
    """Make a row of messages that alternate, the user first."""

    def make(*texts: str, line: int = 1) -> PlacedRow:
        roles = ("user", "assistant")
        turns = tuple(Message(roles[number % 2], text) for number, text in enumerate(texts))
        return PlacedRow("train.jsonl", line, turns)

    return make


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    """Write prompts and answers as JSON Lines."""

    def write(pairs: Sequence[tuple[str, str]], name: str = "train.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"prompt": prompt, "completion": answer}) for prompt, answer in pairs]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
