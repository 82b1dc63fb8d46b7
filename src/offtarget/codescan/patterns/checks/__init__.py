"""Small questions about a place in the code, named in rule files."""

from offtarget.codescan.patterns.checks import context, values
from offtarget.codescan.patterns.checks.check import CHECKS, Check

__all__ = ["CHECKS", "Check", "context", "values"]
