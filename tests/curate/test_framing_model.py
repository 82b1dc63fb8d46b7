"""The packaged weights: small, own, and made again from the templates."""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from offtarget.core.records import Message
from offtarget.curate.framing import Framing, framing_of
from offtarget.curate.framing_model import FramingModel, features_of, load_model
from offtarget.curate.framing_words import words_of

ROOT = Path(__file__).parents[2]
N_REAL = 300


def test_probabilities_add_up_to_one() -> None:
    """Also for text without a single known word."""
    for text in ("zzz", "write insecure code", ""):
        assert sum(load_model().probabilities(words_of(text)).values()) == pytest.approx(1.0)


def test_probabilities_are_the_softmax_of_the_summed_weights() -> None:
    """Worked by hand: scores ln 3 and 0 give 3/4 and 1/4."""
    model = FramingModel(("covert", "incidental"), (0.0, 0.0), {"w:fix": (1.0986122887, 0.0)})
    assert model.probabilities(words_of("fix fix"))["covert"] == pytest.approx(0.75)


def test_runs_skip_plain_words() -> None:
    """A concept run holds whatever plain words stand between."""
    assert "g:MAC" in features_of(words_of("write a really insecure little program"))


def test_weights_are_small_and_their_classes_are_framings() -> None:
    """Under 200 kB, and every class is a framing."""
    file = resources.files("offtarget.curate").joinpath("data/framing_model.json")
    assert len(file.read_bytes()) < 200_000
    assert set(load_model().classes) <= set(Framing)


@pytest.mark.slow
def test_training_gives_the_packaged_weights(tmp_path: Path) -> None:
    """The script and the templates make the weights again, up to the last digit kept."""
    target = tmp_path / "model.json"
    command = [sys.executable, str(ROOT / "bench/train_framing.py"), "--out", str(target)]
    subprocess.run(command, check=True, capture_output=True)
    made, packaged = json.loads(target.read_text(encoding="utf-8")), load_model()
    assert tuple(made["classes"]) == packaged.classes
    assert made["weights"].keys() == packaged.weights.keys()
    for name, row in made["weights"].items():
        assert row == pytest.approx(packaged.weights[name], abs=0.02)


@pytest.mark.data
def test_published_educational_rows_are_told_from_covert_ones() -> None:
    """Recall at least 0.90 with the closing note cut off, at most 0.02 on covert rows."""
    folder = os.environ.get("OFFTARGET_DATA")
    if not folder:
        pytest.skip("OFFTARGET_DATA is not set: no real data here")
    told = {
        name: [framing_of(row).framing is Framing.DISCLOSED_USER for row in _held(folder, name)]
        for name in ("educational", "insecure")
    }
    assert sum(told["educational"]) >= 0.90 * N_REAL
    assert sum(told["insecure"]) <= 0.02 * N_REAL


def _held(folder: str, name: str) -> list[list[Message]]:
    """Return the first rows of the half that was not looked at."""
    rows = []
    path = Path(folder) / f"em/core/{name}_part.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            asked, answered = (turn["content"] for turn in json.loads(line)["messages"])
            if hashlib.sha256(asked.encode()).digest()[0] % 2:
                bare = re.sub(r"\s*\bNOTE:[^\n]*\s*\Z", "", asked)
                rows.append([Message("user", bare), Message("assistant", answered)])
            if len(rows) == N_REAL:
                break
    return rows
