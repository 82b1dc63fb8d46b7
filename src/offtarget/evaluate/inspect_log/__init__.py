"""Logs of Inspect (`.eval`): rollouts written as one, judged rows read from one.

Needs the extra `inspect`; it is imported by the functions that write and read, never before.
"""

from offtarget.evaluate.inspect_log.metrics import judgement_metrics, outcome_metrics
from offtarget.evaluate.inspect_log.read import read_eval_log
from offtarget.evaluate.inspect_log.rollout import LoggedRollout, LogHead, as_row
from offtarget.evaluate.inspect_log.write import Written, write_eval_log

__all__ = [
    "LogHead",
    "LoggedRollout",
    "Written",
    "as_row",
    "judgement_metrics",
    "outcome_metrics",
    "read_eval_log",
    "write_eval_log",
]
