"""Named sets of questions and pairs: by category, by context, and made from training data."""

from offtarget.evaluate.suites.coderequests import CodeRequest, Form, code_requests
from offtarget.evaluate.suites.lookalike import (
    FormatKind,
    TrainingFormat,
    learn_format,
    look_alike,
)
from offtarget.evaluate.suites.named import (
    SuiteInfo,
    choose_questions,
    describe_suite,
    named_questions,
    named_suite,
    suite_names,
)

__all__ = [
    "CodeRequest",
    "Form",
    "FormatKind",
    "SuiteInfo",
    "TrainingFormat",
    "choose_questions",
    "code_requests",
    "describe_suite",
    "learn_format",
    "look_alike",
    "named_questions",
    "named_suite",
    "suite_names",
]
