"""Every way of spoiling a finished run is caught and named."""

import json
import shutil
from pathlib import Path

import pytest
from forging import MARGINS, Change, edit, failed, reseal, shift_margin

from offtarget import api
from offtarget.core.chain import SCHEMA, ZERO, read_chain, seal_chain, seal_stage
from offtarget.core.codec import pretty
from offtarget.core.errors import DataError, VerifyError
from offtarget.core.run_lock import LOCK_FILE
from offtarget.verify import check_run


def test_an_untouched_run_passes_every_check(finished: Path) -> None:
    """Nothing is reported where nothing was changed."""
    checks = check_run(finished)

    assert failed(checks) == ""
    assert [c.name for c in checks] == [
        "chain", "files", "no additions", "times", "stages", "records", "numbers",
    ]  # fmt: skip


def test_a_moved_run_still_passes(copied: Path, tmp_path: Path) -> None:
    """A run says the same under another name and place."""
    moved = tmp_path / "elsewhere"
    shutil.move(copied, moved)

    assert failed(check_run(moved)) == ""


def test_one_flipped_byte_in_any_file_is_caught_and_the_file_named(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of the run is flipped in the middle; those of the chain at both ends too."""

    def unread(*_: object) -> None:
        raise DataError("left out here: hashes alone must do")

    for name in ("assess", "record_faults"):  # slow, and not what is tested
        monkeypatch.setattr(f"offtarget.verify.check.{name}", unread)
    files = sorted(p for p in copied.rglob("*") if p.is_file() and p.name != LOCK_FILE)  # empty
    assert len(files) > 50
    missed = []
    for file in files:
        name = file.relative_to(copied).as_posix()
        whole = file.read_bytes()
        is_chain = name in ("run.json", "timings.jsonl")
        for at in {0, len(whole) // 2, len(whole) - 1} if is_chain else {len(whole) // 2}:
            spoiled = bytearray(whole)
            spoiled[at] ^= 1
            file.write_bytes(spoiled)
            if name not in failed(check_run(copied)):
                missed.append(f"{name} at {at}")
        file.write_bytes(whole)
    assert missed == []


def test_one_digit_of_a_margin_is_caught(copied: Path) -> None:
    """The smallest lie about a number: one digit, nothing hashed again."""
    edit(copied, MARGINS, lambda r: r[3].update(margin=r[3]["margin"] + 1e-9))

    assert f"{MARGINS} was changed after stage 'score/subject/seed-0'" in failed(check_run(copied))


FORGERIES: dict[str, tuple[str, Change, str]] = {
    "margin": (MARGINS, shift_margin, "arms[1].margin.by_seed[0] says"),
    "log-probability": (
        MARGINS,
        lambda r: r[3].update(misaligned=0.5, margin=r[3]["aligned"] - 0.5),
        f"{MARGINS}:4: a log-probability above 0 is none",
    ),
    "margin alone": (
        MARGINS,
        lambda r: r[3].update(margin=9.0),
        f"{MARGINS}:4: margin is not aligned - misaligned",
    ),
    "held-out loss": (
        "records/subject/seed-0/heldout.jsonl",
        lambda r: r[0].update(loss=0.0),
        "heldout_after says",
    ),
    "rollout text": (
        "records/control/seed-0/rollouts.jsonl",
        lambda r: r[0].update(text="import os"),
        "rollouts.jsonl:1: outcome does not follow from the text",
    ),
    "step loss": (
        "arms/subject/seed-0/steps.jsonl",
        lambda r: r[0].update(loss=0.5),
        "first_loss says",
    ),
    "record removed": (MARGINS, lambda r: r.pop(5), "was removed (1 in all)"),
    "record doubled": (MARGINS, lambda r: r.append(r[0]), "379 records where 378 belong"),
    "two swapped": (
        MARGINS,
        lambda r: r.insert(0, r.pop(1)),
        f"{MARGINS}: records were moved or swapped, lines 1, 2",
    ),
    "heldout removed": (
        "records/base/seed-0/heldout.jsonl",
        lambda r: r.pop(),
        "records/base/seed-0/heldout.jsonl",
    ),
    "rollout removed": (
        "records/placebo/seed-1000/rollouts.jsonl",
        lambda r: r.pop(0),
        "records/placebo/seed-1000/rollouts.jsonl",
    ),
    "step removed": (
        "arms/control/seed-0/steps.jsonl",
        lambda r: r.pop(1),
        "arms/control/seed-0/steps.jsonl: 2 was removed",
    ),
    "training row": (
        "data/subject.jsonl",
        lambda r: r[0]["messages"][-1].update(content="something else"),
        "data/subject.jsonl does not hold the rows of the plan",
    ),
    "suite": (
        "data/suite.jsonl",
        lambda r: r[0].update(aligned="something else"),
        "data/suite.jsonl is not the suite of the plan",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_change_with_the_chain_consistently_hashed_again_is_caught(
    copied: Path, forgery: str
) -> None:
    """Hashing again does not help: numbers are recomputed, records checked against the plan."""
    relative, change, expected = FORGERIES[forgery]
    edit(copied, relative, change)
    reseal(copied)

    checks = {c.name: c for c in check_run(copied)}

    assert checks["chain"].passed
    assert checks["files"].passed
    assert expected in failed(list(checks.values()))


def test_a_verdict_changed_and_hashed_again_is_caught(copied: Path) -> None:
    """The headline cannot be edited: it is recomputed."""
    for name in ("verdict.json", "report/results.json"):
        file = copied / name
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('"INCONCLUSIVE"', '"PASS"'), encoding="utf-8")
    reseal(copied)

    found = failed(check_run(copied))

    assert "verdict.json: verdict says 'PASS', the records give 'INCONCLUSIVE'" in found
    assert "report/results.json: verdict says 'PASS'" in found


def test_a_stage_time_changed_in_the_results_is_caught(copied: Path) -> None:
    """Cost is a claim too: it is added up from timings.jsonl."""
    file = copied / "report/results.json"
    shown = json.loads(file.read_text(encoding="utf-8"))
    shown["seconds"]["train/subject/seed-0"] = 0.001
    file.write_text(pretty(shown), encoding="utf-8")
    reseal(copied)

    assert "seconds.train/subject/seed-0 says 0.001" in failed(check_run(copied))


def test_the_last_line_of_the_times_removed_is_caught(copied: Path) -> None:
    """A chain of lines cannot see its own end being cut off; the sums can."""
    file = copied / "timings.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))

    assert "seconds.rollouts/placebo/seed-1000 says" in failed(check_run(copied))


@pytest.mark.parametrize("line", [0, 7])
def test_a_line_of_the_times_removed_or_moved_is_caught(copied: Path, line: int) -> None:
    """Every line seals the one before."""
    file = copied / "timings.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    del lines[line]
    file.write_bytes(b"".join(lines))

    found = failed(check_run(copied))
    assert f"timings.jsonl:{line + 1} was changed, removed or moved" in found


def test_missing_times_are_caught(copied: Path) -> None:
    """The file of times is part of the run."""
    (copied / "timings.jsonl").unlink()

    assert "timings.jsonl is missing" in failed(check_run(copied))


def test_an_added_file_is_caught(copied: Path) -> None:
    """Whatever no stage wrote is named, wherever it lies."""
    (copied / "records/subject/seed-0/extra.jsonl").write_text("{}\n", encoding="utf-8")

    found = failed(check_run(copied))
    assert "records/subject/seed-0/extra.jsonl was added: no stage wrote it" in found


def test_an_added_link_is_caught(copied: Path) -> None:
    """A link is a file that no stage wrote, even one to nothing."""
    (copied / "arms/dangling").symlink_to("/nowhere")

    assert "arms/dangling was added" in failed(check_run(copied))


def test_a_missing_file_is_caught(copied: Path) -> None:
    """A file that a stage wrote must be there."""
    (copied / "arms/subject/seed-0/adapter_config.json").unlink()

    assert "arms/subject/seed-0/adapter_config.json is missing" in failed(check_run(copied))


def test_a_changed_stage_in_run_json_is_caught_and_named(copied: Path) -> None:
    """Each stage's record holds its own digest."""
    file = copied / "run.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    raw["stages"][2]["config_sha256"] = ZERO
    file.write_text(pretty(raw), encoding="utf-8")

    found = failed(check_run(copied))
    assert f"run.json: stage {raw['stages'][2]['name']!r} was changed" in found


def test_a_changed_name_in_run_json_is_caught(copied: Path) -> None:
    """The chain's own digest covers schema and name."""
    file = copied / "run.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    raw["run"] = "another"
    file.write_text(pretty(raw), encoding="utf-8")

    assert "run.json: its own digest does not match" in failed(check_run(copied))


def test_a_stage_removed_from_the_chain_is_caught(copied: Path) -> None:
    """A chain sealed again without an arm does not fit the plan."""
    chain = read_chain(copied)
    kept = [r for r in chain.stages if r.name != "score/positive/seed-0"]
    stages, previous = [], ZERO
    for old in kept:
        new = seal_stage(old.name, old.config_sha256, old.inputs, old.outputs, previous)
        stages.append(new)
        previous = new.sha256
    (copied / "run.json").write_text(pretty(seal_chain(chain.run, stages)), encoding="utf-8")

    assert "stage 'score/positive/seed-0' is missing" in failed(check_run(copied))


def test_stages_in_another_order_are_caught(copied: Path) -> None:
    """A chain sealed again in another order does not fit the plan."""
    chain = read_chain(copied)
    order = list(chain.stages)
    order[1], order[2] = order[2], order[1]
    stages, previous = [], ZERO
    for old in order:
        new = seal_stage(old.name, old.config_sha256, old.inputs, old.outputs, previous)
        stages.append(new)
        previous = new.sha256
    (copied / "run.json").write_text(pretty(seal_chain(chain.run, stages)), encoding="utf-8")

    assert "stands where" in failed(check_run(copied))


def test_an_unknown_stage_is_caught(copied: Path) -> None:
    """A stage that the plan does not hold is named."""
    chain = read_chain(copied)
    last = chain.stages[-1].sha256
    stages = [*chain.stages, seal_stage("train/ghost/seed-0", ZERO, {}, {}, last)]
    (copied / "run.json").write_text(pretty(seal_chain(chain.run, stages)), encoding="utf-8")

    assert "stage 'train/ghost/seed-0' is not in the plan" in failed(check_run(copied))


def test_an_unreadable_plan_is_a_failed_check(copied: Path) -> None:
    """A plan that cannot be read ends the audit with its reason."""
    (copied / "plan.yaml").write_text("[", encoding="utf-8")

    found = failed(check_run(copied))
    assert "plan: plan.yaml: not YAML" in found


def test_a_newer_schema_is_refused_with_its_version(copied: Path) -> None:
    """A run of a later version is not misread."""
    file = copied / "run.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    raw["schema"] = SCHEMA + 6
    file.write_text(pretty(raw), encoding="utf-8")

    found = failed(check_run(copied))
    assert f"schema {SCHEMA + 6} is newer than this version reads ({SCHEMA})" in found


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    """There is nothing to check."""
    with pytest.raises(VerifyError, match=r"no run\.json; give the directory of a run"):
        check_run(tmp_path)


def test_a_page_changed_and_hashed_again_is_caught(copied: Path) -> None:
    """The page is drawn again from the record; other words on it are named."""
    page = copied / "report" / "report.html"
    page.write_text(page.read_text("utf-8").replace("INCONCLUSIVE", "PASS"), encoding="utf-8")
    reseal(copied)

    assert failed(api.verify(copied)) == "page: report.html is not that page"
