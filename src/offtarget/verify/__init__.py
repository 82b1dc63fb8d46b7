"""Checks that a run directory is what it claims to be."""

from offtarget.verify.check import Check, check_run, differences
from offtarget.verify.compare import compare_runs

__all__ = ["Check", "check_run", "compare_runs", "differences"]
