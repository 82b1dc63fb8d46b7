"""Rules for languages other than Python, on tolerant syntax trees."""

from offtarget.codescan.patterns.engine import PatternEngine
from offtarget.codescan.patterns.rulefile import PatternRule, read_rules

__all__ = ["PatternEngine", "PatternRule", "read_rules"]
