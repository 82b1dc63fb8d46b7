"""Question files of others: published YAML, HarmBench, StrongREJECT, Inspect and trait files."""

from offtarget.evaluate.sources.read import QuestionSet, SourceForm, read_source

__all__ = ["QuestionSet", "SourceForm", "read_source"]
