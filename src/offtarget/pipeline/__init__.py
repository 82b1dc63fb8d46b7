"""Ordered stages from study to report."""

from offtarget.pipeline.costs import Estimate
from offtarget.pipeline.doctor import ModelEntry, doctor, list_models
from offtarget.pipeline.judging import JudgeAccess
from offtarget.pipeline.progress import Silent, Watcher
from offtarget.pipeline.replay import replay
from offtarget.pipeline.run import Places, dry_run, run_plan, run_study
from offtarget.pipeline.study import (
    EMBEDDED,
    Source,
    Study,
    check_study,
    demo_study,
    read_study,
    study_of_data,
)

__all__ = [
    "EMBEDDED",
    "Estimate",
    "JudgeAccess",
    "ModelEntry",
    "Places",
    "Silent",
    "Source",
    "Study",
    "Watcher",
    "check_study",
    "demo_study",
    "doctor",
    "dry_run",
    "list_models",
    "read_study",
    "replay",
    "run_plan",
    "run_study",
    "study_of_data",
]
