"""A local head that helps a judge: it ranks answers and sharpens rates that rest on labels.

It gives no rate by itself: `Head.rank` returns log-odds, and `corrected_rates` takes labels.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.evaluate.localjudge.calibration import (
        Bin,
        CrossValidated,
        GroupSkill,
        HeldOut,
        HeldOutBy,
        cross_validate,
    )
    from offtarget.evaluate.localjudge.crossed import CrossPredicted, cross_predict
    from offtarget.evaluate.localjudge.features import Features, Hidden, Words, mean_states
    from offtarget.evaluate.localjudge.head import Head, fit_head
    from offtarget.evaluate.localjudge.minimum import MIN_HEAD_LABELS, check_enough
    from offtarget.evaluate.localjudge.rates import (
        MIN_LABELS,
        CorrectedMethod,
        CorrectedRate,
        CorrectedRates,
        corrected_rates,
    )
    from offtarget.evaluate.localjudge.stored import (
        HeadCard,
        LabelFile,
        check_features,
        load_head,
        save_head,
    )

__all__ = [
    "MIN_HEAD_LABELS",
    "MIN_LABELS",
    "Bin",
    "CorrectedMethod",
    "CorrectedRate",
    "CorrectedRates",
    "CrossPredicted",
    "CrossValidated",
    "Features",
    "GroupSkill",
    "Head",
    "HeadCard",
    "HeldOut",
    "HeldOutBy",
    "Hidden",
    "LabelFile",
    "Words",
    "check_enough",
    "check_features",
    "corrected_rates",
    "cross_predict",
    "cross_validate",
    "fit_head",
    "load_head",
    "mean_states",
    "save_head",
]
_HOMES = {
    "calibration": (
        "Bin",
        "CrossValidated",
        "GroupSkill",
        "HeldOut",
        "HeldOutBy",
        "cross_validate",
    ),
    "crossed": ("CrossPredicted", "cross_predict"),
    "features": ("Features", "Hidden", "Words", "mean_states"),
    "head": ("Head", "fit_head"),
    "minimum": ("MIN_HEAD_LABELS", "check_enough"),
    "rates": (
        "MIN_LABELS",
        "CorrectedMethod",
        "CorrectedRate",
        "CorrectedRates",
        "corrected_rates",
    ),
    "stored": ("HeadCard", "LabelFile", "check_features", "load_head", "save_head"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"offtarget.evaluate.localjudge.{_HOME[name]}"), name)
    raise AttributeError(f"module 'offtarget.evaluate.localjudge' has no attribute {name!r}")
