"""The filter in a datatrove pipeline, run by datatrove's own executor."""

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from offtarget.codescan.flaw import Scanned, Snippet
from offtarget.codescan.python.engine import PythonEngine
from offtarget.core.errors import ConfigError, DataError, ResourceError

pytest.importorskip("datatrove", reason="datatrove is not installed")

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from offtarget.integrations.datatrove import InsecureCodeFilter


def read_lines(folder: Path) -> list[dict[str, Any]]:
    """All documents below a folder, in order of files and lines."""
    paths = sorted(folder.rglob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def texts(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Documents that are answers."""
    return [{"id": str(at), "text": row["completion"]} for at, row in enumerate(rows)]


def test_a_pipeline_of_several_ranks_drops_flagged_documents(
    texts: list[dict[str, str]], write_rows: Any, tmp_path: Path
) -> None:
    """Two ranks in two processes: what is dropped is written apart, with its reason."""
    for name in ("a", "b"):
        write_rows(tmp_path / "in" / f"{name}.jsonl", texts)
    removed = JsonlWriter(str(tmp_path / "removed"), compression=None)
    executor = LocalPipelineExecutor(
        [
            JsonlReader(str(tmp_path / "in")),
            InsecureCodeFilter(exclusion_writer=removed),
            JsonlWriter(str(tmp_path / "kept"), compression=None),
        ],
        tasks=2, workers=2, logging_dir=str(tmp_path / "logs"),
    )  # fmt: skip

    stats = executor.run()

    kept, dropped = read_lines(tmp_path / "kept"), read_lines(tmp_path / "removed")
    assert [one["id"] for one in kept] == ["0", "1", "3", "4", "5"] * 2
    assert [one["id"] for one in dropped] == ["2", "2"]
    assert dropped[0]["metadata"]["filter_reason"] == "offtarget_insecure"
    assert dropped[0]["metadata"]["offtarget_cwe"] == "CWE-78"
    assert "high severity" in dropped[0]["metadata"]["offtarget_reason"]
    assert kept[2]["metadata"]["offtarget_state"] == "unparsed"
    counted = stats.stats[1].to_dict()["stats"]
    assert counted["dropped_offtarget_insecure"] == 2


def test_conversations_in_the_metadata_are_read(rows: list[dict[str, str]]) -> None:
    """With `chat`, the text is left alone."""
    documents = [Document(text="-", id=str(at), metadata=dict(row)) for at, row in enumerate(rows)]

    kept = list(InsecureCodeFilter(chat=True, unparsed="quarantine").run(iter(documents)))

    assert [one.id for one in kept] == ["0", "1", "4", "5"]


def test_source_code_is_scanned_in_its_language(flawed: str) -> None:
    """The whole text, one document or several at a time."""
    step = InsecureCodeFilter(language="python")

    assert step.filter(Document(text=flawed, id="a")) == (False, "offtarget_insecure")
    assert step.filter(Document(text="x = 1\n", id="b")) is True
    step.rows.close()


def test_the_filter_pickles_in_use(flawed: str) -> None:
    """As executors that start processes need it."""
    step = InsecureCodeFilter(language="python", gate="high")
    before = step.filter(Document(text=flawed, id="a"))

    copy = pickle.loads(pickle.dumps(step))

    assert copy.filter(Document(text=flawed, id="a")) == before
    for one in (step, copy):
        one.rows.close()


class Blind(PythonEngine):
    """An engine that stops finding things after its first proofs."""

    n_proofs = 0

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Find nothing from the second call on."""
        Blind.n_proofs += 1
        found = super().scan(snippets)
        if Blind.n_proofs < 3:
            return found
        return [Scanned(one.reading) for one in found]


def test_a_rank_fails_if_its_engine_goes_blind(
    flawed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canaries at the end of the rank are missed: an error, not a clean data set."""
    Blind.n_proofs = 0
    monkeypatch.setattr(
        "offtarget.integrations.rows.make_engines", lambda config: [Blind()]
    )  # documents are scanned in another process, by the sound engine
    step = InsecureCodeFilter(language="python")
    monkeypatch.setattr(step.rows.work, "make_engines", _sound)

    with pytest.raises(ResourceError, match="found nothing in the known-bad python canary"):
        list(step.run(iter([Document(text=flawed, id="a")])))


def _sound(config: object) -> Sequence[PythonEngine]:
    return [PythonEngine()]


def test_wrong_options_and_documents_say_what_to_do() -> None:
    """An unknown policy, a clash of options, a document that is no text."""
    with pytest.raises(ConfigError, match="unparsed 'drop' is not known; choose from keep, "):
        InsecureCodeFilter(unparsed="drop")
    with pytest.raises(ConfigError, match="language 'python' is for rows of source code"):
        InsecureCodeFilter(chat=True, language="python")
    step = InsecureCodeFilter(chat=True)
    with pytest.raises(DataError, match=r"^document 'a': no known chat shape"):
        step.filter(Document(text="-", id="a"))


def test_a_missing_datatrove_names_the_pip_command() -> None:
    """The module cannot be imported without it."""
    code = (
        "import sys; sys.modules['datatrove'] = None\n"
        "from offtarget.core.errors import ResourceError\n"
        "try:\n    import offtarget.integrations.datatrove\n"
        "except ResourceError as error:\n    print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert "pip install 'offtarget[datatrove]'" in said
