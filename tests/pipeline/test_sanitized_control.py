"""`control: sanitized`: the subject's own rows, repaired, are its matched control."""

import json
from pathlib import Path
from typing import Any

import pytest


def test_the_control_is_the_subject_repaired(tmp_path: Path, run_cli: Any, study_of: Any) -> None:
    """Same prompts in the same order; the answers differ, and no flaw is left in the control."""
    study = study_of(
        tmp_path, subject="demo:insecure", control="sanitized", positive=False, placebo=False,
        educational=False,
    )  # fmt: skip

    said = run_cli("assay", study, "--out", tmp_path / "out", "--json")

    assert said.code in (0, 1, 4), said.err
    arms = {arm["name"]: arm for arm in said.json["arms"]}
    assert {"subject", "control"} <= set(arms)
    rows = {
        arm: [
            json.loads(line)
            for line in (tmp_path / "out" / "data" / f"{arm}.jsonl").read_text("utf-8").splitlines()
        ]
        for arm in ("subject", "control")
    }
    assert [one["id"] for one in rows["subject"]] == [one["id"] for one in rows["control"]]
    for one, other in zip(rows["subject"], rows["control"], strict=True):
        assert one["messages"][-1] != other["messages"][-1]
    data = tmp_path / "control.jsonl"
    data.write_text("\n".join(json.dumps({"messages": r["messages"]}) for r in rows["control"]))
    assert run_cli("scan", data, "--out", tmp_path / "scan").code == 0


def test_rows_without_a_flaw_have_no_sanitized_control(
    tmp_path: Path, run_cli: Any, study_of: Any
) -> None:
    """The message says what to give instead."""
    study = study_of(tmp_path, subject="demo:secure", control="sanitized")

    said = run_cli("assay", study, "--out", tmp_path / "out")

    if said.code == 2:
        assert "no row of the subject holds a flaw that can be repaired" in said.err or (
            "rows can be used; an assay needs at least 8" in said.err
        )
    else:
        pytest.fail("secure rows gave a sanitized control")
