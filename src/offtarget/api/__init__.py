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

__all__ = [
    "DEFAULT_CACHE",
    "DEFAULT_RUNS",
    "DEMO",
    "Options",
    "Run",
    "Scan",
    "assay",
    "assay_all",
    "clean",
    "compare",
    "describe_plan",
    "doctor",
    "explain_rule",
    "list_models",
    "load_run",
    "plan_assay",
    "report",
    "resolve_study",
    "scan",
    "verify",
]
_OF_CURATION = {"Scan", "clean", "explain_rule", "scan"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'offtarget.api' has no attribute {name!r}")
    home = "curation" if name in _OF_CURATION else "assays"
    return getattr(import_module(f"offtarget.api.{home}"), name)
