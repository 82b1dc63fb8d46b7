"""Analyses of a whole function: what is missing, or comes in the wrong order."""

from offtarget.codescan.patterns.analyses import (
    bounds,
    capacities,
    errors,
    indices,
    initial,
    leaks,
    lifetimes,
    limits,
    nulls,
    objects,
    races,
    regexes,
    signs,
    sizes,
    terminators,
    writes,
)
from offtarget.codescan.patterns.analyses.analysis import ANALYSES, Analysis

__all__ = [
    "ANALYSES",
    "Analysis",
    "bounds",
    "capacities",
    "errors",
    "indices",
    "initial",
    "leaks",
    "lifetimes",
    "limits",
    "nulls",
    "objects",
    "races",
    "regexes",
    "signs",
    "sizes",
    "terminators",
    "writes",
]
