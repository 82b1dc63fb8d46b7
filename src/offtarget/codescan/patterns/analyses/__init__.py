"""Analyses of a whole function: what is missing, or comes in the wrong order."""

from offtarget.codescan.patterns.analyses import (
    bounds,
    errors,
    lifetimes,
    nulls,
    objects,
    sizes,
    writes,
)
from offtarget.codescan.patterns.analyses.analysis import ANALYSES, Analysis

__all__ = [
    "ANALYSES",
    "Analysis",
    "bounds",
    "errors",
    "lifetimes",
    "nulls",
    "objects",
    "sizes",
    "writes",
]
