"""Exit codes, and the commands besides assay."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from assays import ONLY_MARGINS

from offtarget.core.records import Verdict
from offtarget.evaluate.verdict import Decision, decide

# their packages hold functions of the same names
ASSESS = importlib.import_module("offtarget.evaluate.assessment")
DOCTOR = importlib.import_module("offtarget.pipeline.doctor")


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.INCONCLUSIVE, 4)]
)
def test_the_exit_code_is_the_verdicts(
    copied: Path, run_cli: Any, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, code: int
) -> None:
    """0 PASS, 1 FAIL, 4 INCONCLUSIVE; the report names the verdict."""

    def settled(evidence: Any) -> Decision:
        return replace(decide(evidence), verdict=verdict)

    monkeypatch.setattr(ASSESS, "decide", settled)

    said = run_cli("assay", copied / "plan.yaml")

    assert said.code == code
    assert verdict.value in said.out
    assert "report: " in said.out


def test_an_unexpected_error_is_an_internal_one(
    run_cli: Any, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, one line, and how to get the trace."""

    def broken(_: object) -> Decision:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr(ASSESS, "decide", broken)
    said = run_cli("assay", copied / "plan.yaml")

    assert said.code == 3
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("offtarget: internal error: ZeroDivisionError: deep inside; set OFFT")

    monkeypatch.setenv("OFFTARGET_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run_cli("assay", copied / "plan.yaml")


def test_an_interrupt_says_how_to_go_on(
    run_cli: Any, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C keeps what is finished."""

    def stop(_: object) -> Decision:
        raise KeyboardInterrupt

    monkeypatch.setattr(ASSESS, "decide", stop)
    said = run_cli("assay", copied / "plan.yaml")

    assert said.code == 130
    assert said.err.endswith("offtarget: stopped; run the same command again to go on from here\n")


def test_running_out_of_memory_is_one_line(
    run_cli: Any, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own memory error is bad input, not a crash."""

    def full(_: object) -> Decision:
        raise MemoryError

    monkeypatch.setattr(ASSESS, "decide", full)
    said = run_cli("assay", copied / "plan.yaml")

    assert said.code == 2
    assert "out of memory; use a smaller model, train.batch_size or --rows" in said.err


def test_a_dry_run_says_the_cost_and_trains_nothing(
    run_cli: Any, study_of: Any, tmp_path: Path
) -> None:
    """Tokens, time, memory and disk; no run directory."""
    study = study_of(tmp_path)

    said = run_cli("assay", study, "--dry-run", "--out", tmp_path / "out", cwd=tmp_path)

    assert said.code == 0
    for word in ("model", "arms      6, replicates 6", "tokens", "time", "memory", "disk"):
        assert word in said.out
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "runs").exists()

    found = run_cli("assay", study, "--dry-run", "--json").json
    assert found[0]["estimate"].keys() == {
        "n_arms", "n_replicates", "train_tokens", "score_tokens", "sample_tokens", "seconds",
        "memory_bytes", "disk_bytes",
    }  # fmt: skip
    assert found[0]["plan"]["tolerance"] == 0.05


def test_runs_land_below_runs(run_cli: Any, study_of: Any, tmp_path: Path) -> None:
    """Without --out the run is ./runs/NAME, the name being the study's file."""
    study = study_of(tmp_path, "mine", **ONLY_MARGINS)

    assert run_cli("assay", study, cwd=tmp_path).code == 4

    assert (tmp_path / "runs/mine/report/report.html").exists()


def test_report_prints_the_verdict_and_writes_the_page_anew(
    finished: Path, run_cli: Any, tmp_path: Path
) -> None:
    """The page made anew says the same; only rows read back from JSON may stand in another order."""
    said = run_cli("report", finished)
    assert said.code == 0
    assert "INCONCLUSIVE" in said.out
    assert f"report: {finished / 'report' / 'report.html'}" in said.out

    page = tmp_path / "deep" / "page.html"
    assert run_cli("report", finished, "--out", page).code == 0
    made = (finished / "report/report.html").read_text(encoding="utf-8")
    assert sorted(page.read_text(encoding="utf-8")) == sorted(made)


def test_compare_names_what_differs_and_exits_0(finished: Path, run_cli: Any, assay: Any) -> None:
    """Two runs, stage by stage; a difference is a result, not an error."""
    _, other = assay(**ONLY_MARGINS)

    said = run_cli("compare", finished, other)
    assert said.code == 0
    assert "only in" in said.out

    found = run_cli("compare", finished, finished, "--json").json
    assert all(check["passed"] for check in found)


def test_doctor_and_models_answer_in_text_and_json(
    run_cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the machine has; what can be given as a model."""
    names = [check["name"] for check in run_cli("doctor", "--json").json]
    assert {"python", "torch", "arithmetic", "memory", "disk", "cache", "CUDA"} <= set(names)
    assert "python" in run_cli("doctor").out

    monkeypatch.setattr(DOCTOR, "MIN_DISK_BYTES", 10**18)
    poor = run_cli("doctor")
    assert poor.code == 1
    assert "FAILED disk" in poor.out

    assert run_cli("models").out.startswith("embedded")
    assert [m["name"] for m in run_cli("models", "--json").json][:2] == ["embedded", "DIR"]
    assert run_cli("version").out.strip()


def test_from_python_the_same_run_has_a_table(finished: Path) -> None:
    """`import offtarget as ot` gives verdict, arms and one row per arm and seed."""
    import offtarget as ot

    run = ot.load_run(finished)

    assert run.verdict == "INCONCLUSIVE"
    table = run.to_pandas()
    assert list(table["arm"]) == [arm.name for arm in run.arms]
    assert table["margin"].notna().all()
    assert {"arm", "role", "seed", "margin", "factual", "heldout_after"} == set(table.columns)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ot.nothing  # noqa: B018


def test_assay_from_python(
    rows: tuple[Path, Path], tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function takes what the command takes."""
    import offtarget as ot
    from offtarget.api import Options, verify

    options = Options(rows=8, tolerance=0.05, dtype="float32", device="cpu")
    run = ot.assay(
        rows[0], control=rows[1], model=str(tiny_dir), seeds=1, out=tmp_path / "run",
        cache=tmp_path / "cache", options=options,
    )  # fmt: skip

    assert run.path == tmp_path / "run"
    assert run.verdict == "INCONCLUSIVE"
    assert len(run.arms) >= 5
    assert [c for c in verify(run.path) if not c.passed] == []
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Exception, match=r"pip install 'offtarget\[pandas\]'"):
        run.to_pandas()
