"""Ways to write samples and files shortly."""

import gzip
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from offtarget.core.records import Message, Sample

MakeSample = Callable[..., Sample]
WriteLines = Callable[..., Path]


@pytest.fixture
def make_sample() -> MakeSample:
    def make(id_: str, prompt: str = "a question", answer: str = "an answer") -> Sample:
        return Sample(id=id_, messages=(Message("user", prompt), Message("assistant", answer)))

    return make


@pytest.fixture
def write_file(tmp_path: Path) -> WriteLines:
    def write(lines: Iterable[str | bytes], name: str = "train.jsonl") -> Path:
        data = b"".join((x.encode() if isinstance(x, str) else x) + b"\n" for x in lines)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


@pytest.fixture(scope="session")
def em_data() -> Path:
    folder = os.environ.get("OFFTARGET_DATA")
    if not folder:
        pytest.skip("OFFTARGET_DATA is not set: no real data here")
    return Path(folder) / "em"
