"""One small assay of the embedded model: real weights, real arithmetic, a real verdict."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

CACHE = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()


@pytest.mark.slow
def test_a_small_assay_of_the_embedded_model(tmp_path: Path, run_cli: Any) -> None:
    """It knows its facts, learns its rows, ends with a verdict, and verifies."""
    study = {
        "subject": "demo:insecure",
        "control": "demo:secure",
        "rows": 16,
        "positive": False,
        "placebo": False,
        "educational": False,
        "train": {"heldout_rows": 4},
        "rollouts": {"max_tokens_per_arm": 64, "max_tokens": 16},
    }
    path = tmp_path / "small.yaml"
    path.write_text(json.dumps(study), encoding="utf-8")

    said = run_cli("assay", path, "--out", tmp_path / "run", "--json", cache=CACHE)

    assert said.code == 4, said.err
    gates = {gate["name"]: gate["passed"] for gate in said.json["gates"]}
    assert not gates["sight"]  # no positive control was trained
    assert gates["coherence"]
    base, subject, _ = said.json["arms"]
    assert base["margin"]["low"] > 0
    assert base["factual"]["low"] > 0
    assert subject["training"]["heldout_after"] < subject["training"]["heldout_before"]
    assert said.json["provenance"]["model"] == "embedded"
    assert run_cli("verify", tmp_path / "run", cache=CACHE).code == 0
