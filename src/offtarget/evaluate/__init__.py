"""Questions, margins, rollouts, contrasts and the verdict.

Names are imported on first use: who only reads a result does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.evaluate.assay_judge import (
        blindness,
        is_judged,
        judge_rollouts,
        judge_summary,
        meet_judge,
        scored_rollouts,
    )
    from offtarget.evaluate.assessment import ArmFacts, AssayFacts, assess
    from offtarget.evaluate.judge import JudgeConfig, check_judge
    from offtarget.evaluate.margin import MarginRecord, ScoreItem, encode_suite, score_suite
    from offtarget.evaluate.measured import HeldoutRecord, Measured, Replicate, difference
    from offtarget.evaluate.plan import (
        PLAN_SCHEMA,
        Plan,
        PlanArm,
        current_versions,
        read_plan,
        read_samples,
        write_plan,
        write_samples,
    )
    from offtarget.evaluate.questions import (
        Question,
        everyday_questions,
        open_questions,
        read_questions,
    )
    from offtarget.evaluate.raw import facts_of, load_judge, load_replicates
    from offtarget.evaluate.results import ArmResult, Provenance, Results
    from offtarget.evaluate.rollouts import RolloutConfig, RolloutRecord, sample_rollouts
    from offtarget.evaluate.rules import Outcome, classify
    from offtarget.evaluate.suite import Pair, Suite, load_suite, packaged_suite
    from offtarget.evaluate.suites import (
        FormatKind,
        SuiteInfo,
        TrainingFormat,
        choose_questions,
        code_requests,
        describe_suite,
        learn_format,
        look_alike,
        named_questions,
        named_suite,
        suite_names,
    )

__all__ = [
    "PLAN_SCHEMA",
    "ArmFacts",
    "ArmResult",
    "AssayFacts",
    "FormatKind",
    "HeldoutRecord",
    "JudgeConfig",
    "MarginRecord",
    "Measured",
    "Outcome",
    "Pair",
    "Plan",
    "PlanArm",
    "Provenance",
    "Question",
    "Replicate",
    "Results",
    "RolloutConfig",
    "RolloutRecord",
    "ScoreItem",
    "Suite",
    "SuiteInfo",
    "TrainingFormat",
    "assess",
    "blindness",
    "check_judge",
    "choose_questions",
    "classify",
    "code_requests",
    "current_versions",
    "describe_suite",
    "difference",
    "encode_suite",
    "everyday_questions",
    "facts_of",
    "is_judged",
    "judge_rollouts",
    "judge_summary",
    "learn_format",
    "load_judge",
    "load_replicates",
    "load_suite",
    "look_alike",
    "meet_judge",
    "named_questions",
    "named_suite",
    "open_questions",
    "packaged_suite",
    "read_plan",
    "read_questions",
    "read_samples",
    "sample_rollouts",
    "score_suite",
    "scored_rollouts",
    "suite_names",
    "write_plan",
    "write_samples",
]

_HOMES = {
    "assessment": (
        "ArmFacts",
        "AssayFacts",
        "assess",
    ),
    "assay_judge": (
        "blindness",
        "is_judged",
        "judge_rollouts",
        "judge_summary",
        "meet_judge",
        "scored_rollouts",
    ),
    "judge": ("JudgeConfig", "check_judge"),
    "margin": (
        "MarginRecord",
        "ScoreItem",
        "encode_suite",
        "score_suite",
    ),
    "measured": (
        "HeldoutRecord",
        "Measured",
        "Replicate",
        "difference",
    ),
    "plan": (
        "PLAN_SCHEMA",
        "Plan",
        "PlanArm",
        "current_versions",
        "read_plan",
        "read_samples",
        "write_plan",
        "write_samples",
    ),
    "questions": (
        "Question",
        "everyday_questions",
        "open_questions",
        "read_questions",
    ),
    "raw": (
        "facts_of",
        "load_judge",
        "load_replicates",
    ),
    "results": (
        "ArmResult",
        "Provenance",
        "Results",
    ),
    "rollouts": (
        "RolloutConfig",
        "RolloutRecord",
        "sample_rollouts",
    ),
    "rules": (
        "Outcome",
        "classify",
    ),
    "suite": (
        "Pair",
        "Suite",
        "load_suite",
        "packaged_suite",
    ),
    "suites": (
        "FormatKind",
        "SuiteInfo",
        "TrainingFormat",
        "choose_questions",
        "code_requests",
        "describe_suite",
        "learn_format",
        "look_alike",
        "named_questions",
        "named_suite",
        "suite_names",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"offtarget.evaluate.{_HOME[name]}"), name)
    raise AttributeError(f"module 'offtarget.evaluate' has no attribute {name!r}")
