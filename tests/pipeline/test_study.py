"""The study a user writes: short forms, paths, limits, and what does not fit together."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.errors import ConfigError, JudgeError
from offtarget.evaluate import JudgeConfig, RolloutConfig
from offtarget.pipeline import EMBEDDED, Source, Study, check_study, demo_study, read_study
from offtarget.pipeline.study import EMBEDDED_TOLERANCE, study_of_data, tolerance_for
from offtarget.train import TrainConfig

SUBJECT = Source(data=("a.jsonl",))
STUDY = Study(subject=SUBJECT, name="s")


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    """A study file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_short_forms_are_read_like_long_ones(tmp_path: Path) -> None:
    """A file name, one model and a number of seeds are enough."""
    short = read_study(
        write(
            tmp_path, "subject: a.jsonl\ncontrol: [b.jsonl, c.jsonl]\nmodel: embedded\nseeds: 3\n"
        )
    )
    long = read_study(
        write(
            tmp_path,
            "subject: {data: [a.jsonl]}\ncontrol: {data: [b.jsonl, c.jsonl]}\n"
            "models: [embedded]\nseeds: [0, 1, 2]\n",
        )
    )

    assert short == long
    assert short.name == "mine"
    assert short.subject.data == (str(tmp_path / "a.jsonl"),)


def test_paths_are_relative_to_the_file_and_names_are_kept(tmp_path: Path) -> None:
    """Demo data, hub ids and `embedded` are no paths; a folder beside the study is."""
    (tmp_path / "model").mkdir()
    study = read_study(
        write(
            tmp_path,
            "name: other\nsubject: demo:insecure\nmodels: [embedded, owner/name, model]\n"
            "questions: q.yaml\nsuite: s.jsonl\npositive: p.jsonl\n"
            "arms: {mine: {data: d.jsonl}}\ntolerance: 0.1\n",
        )
    )

    assert study.name == "other"
    assert study.subject.data == ("demo:insecure",)
    assert study.models == ("embedded", "owner/name", str(tmp_path / "model"))
    assert study.questions == (str(tmp_path / "q.yaml"),)
    assert study.suite == str(tmp_path / "s.jsonl")
    assert study.positive == Source(data=(str(tmp_path / "p.jsonl"),))
    assert study.arms["mine"].data == (str(tmp_path / "d.jsonl"),)


def test_a_study_may_have_no_rollouts_and_no_positive(tmp_path: Path) -> None:
    """`null` and `false` switch parts off."""
    study = read_study(write(tmp_path, "subject: a.jsonl\nrollouts: null\npositive: false\n"))

    assert study.rollouts is None
    assert study.positive is False


@pytest.mark.parametrize(
    ("file", "name"),
    [("train.jsonl", "train"), ("my data.jsonl.gz", "my-data"), ("ä.csv", "assay"), (".x", "x")],
)
def test_data_alone_are_a_study_named_after_the_file(tmp_path: Path, file: str, name: str) -> None:
    """Endings go, what a folder's name should not hold becomes a dash."""
    assert study_of_data((tmp_path / file,)).name == name


def test_no_data_are_an_error() -> None:
    """Something must be named."""
    with pytest.raises(ConfigError, match="no data given; name a file, a directory or a study"):
        study_of_data(())


def test_the_demo_is_a_valid_study() -> None:
    """Packaged subject, matched control and the educational arm."""
    study = check_study(demo_study())

    assert study.control == Source(data=("demo:secure",))
    assert study.educational is True
    assert tolerance_for(study, EMBEDDED) == EMBEDDED_TOLERANCE == 0.05


OUT_OF_RANGE: list[tuple[str, Study]] = [
    ("rows: 3", replace(STUDY, rows=3)),
    ("tolerance: 0", replace(STUDY, tolerance=0)),
    ("tolerance: nan", replace(STUDY, tolerance=float("nan"))),
    ("dose_margin: -1", replace(STUDY, dose_margin=-1)),
    *[
        (f"train.{key}: {value}", replace(STUDY, train=replace(TrainConfig(), **{key: value})))
        for key, value in {
            "lr": 1.5, "epochs": 0, "batch_size": 0, "rank": 0, "alpha": 0, "max_row_tokens": 8,
            "heldout_rows": 0, "warmup_steps": -1, "weight_decay": float("nan"),
            "max_grad_norm": 0,
        }.items()
    ],
    *[
        (f"rollouts.{key}: {value}", replace(STUDY, rollouts=replace(RolloutConfig(), **{key: value})))
        for key, value in {
            "temperature": -1, "top_p": 0, "max_tokens_per_arm": 1, "max_tokens": 0,
            "samples_per_question": 0,
        }.items()
    ],
    (
        "judge.timeout_s: 0",
        replace(STUDY, judge=JudgeConfig(url="http://x/v1", model="j", timeout_s=0)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "study"), OUT_OF_RANGE, ids=[m for m, _ in OUT_OF_RANGE])
def test_numbers_out_of_range_are_refused_with_the_range(message: str, study: Study) -> None:
    """NaN is out of every range."""
    with pytest.raises(ConfigError, match=f"^{message} is out of range; use .+ to .+"):
        check_study(study)


def test_zero_is_a_learning_rate() -> None:
    """The dose gate needs it to be possible."""
    check_study(replace(STUDY, train=TrainConfig(lr=0.0)))


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,), (1000,)])
def test_seeds_must_differ_and_leave_room_for_the_placebo(seeds: tuple[int, ...]) -> None:
    """0 to 999: the placebo's seeds lie a thousand higher."""
    with pytest.raises(ConfigError, match=r"seeds: \["):
        check_study(replace(STUDY, seeds=seeds))


@pytest.mark.parametrize("name", ["", ".hidden", "-x", "a/b", "a b", "x" * 81, "ä"])
def test_names_that_are_no_folder_names_are_refused(name: str) -> None:
    """Of the study and of its arms."""
    with pytest.raises(ConfigError, match="use 1 to 80 letters, digits"):
        check_study(replace(STUDY, name=name))
    with pytest.raises(ConfigError, match="use 1 to 80 letters, digits"):
        check_study(replace(STUDY, arms={name: demo_arm()}))


def demo_arm() -> Any:
    """A custom arm of the subject's own rows."""
    from offtarget.pipeline.study import CustomArm

    return CustomArm()


def test_a_positive_control_is_trained_here() -> None:
    """It must learn with the subject's recipe, so an adapter cannot be one."""
    with pytest.raises(ConfigError, match="positive: give data; the positive control is trained"):
        check_study(replace(STUDY, positive=Source(adapter=("x",))))


def test_a_judge_is_checked_before_anything_is_trained() -> None:
    """Its address stands in the study."""
    with pytest.raises(JudgeError, match="is not a web address"):
        check_study(replace(STUDY, judge=JudgeConfig(url="x", model="j")))


def test_another_model_needs_a_tolerance_of_its_own() -> None:
    """None is guessed; one that is given holds for every model."""
    with pytest.raises(ConfigError, match="tolerance is missing for model 'other'"):
        tolerance_for(STUDY, "other")
    assert tolerance_for(replace(STUDY, tolerance=0.2), "other") == 0.2
    assert tolerance_for(replace(STUDY, tolerance=0.2), EMBEDDED) == 0.2


def test_every_key_of_a_study_survives_yaml(tmp_path: Path) -> None:
    """What the code can hold can be written."""
    from offtarget.core.codec import to_builtins

    study = replace(STUDY, subject=Source(data=(str(tmp_path / "a"),)), tolerance=0.1)
    plain = json.loads(json.dumps(to_builtins(study)))

    assert read_study(write(tmp_path, json.dumps(plain))) == study


def test_a_plan_and_its_data_can_be_copied_and_run_elsewhere(
    finished: Path, tmp_path: Path, run_cli: Any
) -> None:
    """Only run.json, plan.yaml and data/ are needed to run a plan afresh."""
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copytree(finished / "data", bare / "data")
    for name in ("plan.yaml", "run.json"):
        shutil.copy(finished / name, bare / name)
    (bare / "data/subject.jsonl").write_bytes(b"{}\n")

    said = run_cli("assay", bare / "plan.yaml", "--out", tmp_path / "again")

    assert said.code == 2
    assert "data/subject.jsonl: missing or changed since the plan was locked" in said.err
