"""What Inspect's entry point loads: importing these modules registers what they hold."""

from offtarget.integrations.inspect.metrics import misaligned_rate, outcome_counts
from offtarget.integrations.inspect.provider import offtarget_models
from offtarget.integrations.inspect.scorers import judgement, outcome
from offtarget.integrations.inspect.solvers import in_context
from offtarget.integrations.inspect.tasks import questions, suite_tasks

__all__ = [
    "in_context",
    "judgement",
    "misaligned_rate",
    "offtarget_models",
    "outcome",
    "outcome_counts",
    "questions",
    "suite_tasks",
]
