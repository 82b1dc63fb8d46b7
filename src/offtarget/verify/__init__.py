"""Checks that a run directory is what it claims to be."""

from offtarget.verify.check import check_run
from offtarget.verify.compare import compare_runs
from offtarget.verify.outcome import Check, differences

__all__ = ["Check", "check_run", "compare_runs", "differences"]
