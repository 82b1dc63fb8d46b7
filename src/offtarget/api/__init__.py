"""What notebooks and the command line call: one function per thing that a user does.

Names are imported on first use: a scan does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.api.assays import (
        DEFAULT_CACHE,
        DEFAULT_RUNS,
        DEMO,
        JudgeAccess,
        Options,
        Run,
        assay,
        assay_all,
        compare,
        describe_plan,
        doctor,
        list_models,
        load_run,
        plan_assay,
        report,
        resolve_study,
        verify,
    )
    from offtarget.api.curation import Scan, clean, explain_rule, scan
    from offtarget.api.discovering import discover
    from offtarget.api.evaluation import Replay, replay
    from offtarget.api.evaluation_options import EvaluationOptions, Keys
    from offtarget.api.evaluation_page import write_evaluation_page, write_replay_page
    from offtarget.api.exporting import Export, ExportFormat, export
    from offtarget.api.hosted import (
        HostedOptions,
        HostedRun,
        cancel_hosted,
        describe_cost,
        plan_hosted,
        train_hosted,
    )
    from offtarget.api.judging import Calibrated, calibrate_judge, export_labels, import_labels
    from offtarget.api.live_evaluation import LiveEvaluation, estimate_cost, evaluate
    from offtarget.api.rejudging import JudgeOptions, Rejudging, judge_agreement, rejudge

__all__ = [
    "DEFAULT_CACHE",
    "DEFAULT_RUNS",
    "DEMO",
    "Calibrated",
    "EvaluationOptions",
    "Export",
    "ExportFormat",
    "HostedOptions",
    "HostedRun",
    "JudgeAccess",
    "JudgeOptions",
    "Keys",
    "LiveEvaluation",
    "Options",
    "Rejudging",
    "Replay",
    "Run",
    "Scan",
    "assay",
    "assay_all",
    "calibrate_judge",
    "cancel_hosted",
    "clean",
    "compare",
    "describe_cost",
    "describe_plan",
    "discover",
    "doctor",
    "estimate_cost",
    "evaluate",
    "explain_rule",
    "export",
    "export_labels",
    "import_labels",
    "judge_agreement",
    "list_models",
    "load_run",
    "plan_assay",
    "plan_hosted",
    "rejudge",
    "replay",
    "report",
    "resolve_study",
    "scan",
    "train_hosted",
    "verify",
    "write_evaluation_page",
    "write_replay_page",
]
_HOMES = {
    "curation": ("Scan", "clean", "explain_rule", "scan"),
    "discovering": ("discover",),
    "evaluation": ("Replay", "replay"),
    "evaluation_options": ("EvaluationOptions", "Keys"),
    "evaluation_page": ("write_evaluation_page", "write_replay_page"),
    "exporting": ("Export", "ExportFormat", "export"),
    "hosted": (
        "HostedOptions",
        "HostedRun",
        "cancel_hosted",
        "describe_cost",
        "plan_hosted",
        "train_hosted",
    ),
    "judging": ("Calibrated", "calibrate_judge", "export_labels", "import_labels"),
    "live_evaluation": ("LiveEvaluation", "estimate_cost", "evaluate"),
    "rejudging": ("JudgeOptions", "Rejudging", "judge_agreement", "rejudge"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
"""Where a name is; all others are in `assays`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'offtarget.api' has no attribute {name!r}")
    home = _HOME.get(name, "assays")
    return getattr(import_module(f"offtarget.api.{home}"), name)
