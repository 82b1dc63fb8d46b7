"""Subjects of an evaluation: what is asked, who answers, and how answers are told apart.

Names are imported on first use: an endpoint needs no torch, and counting needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.evaluate.subjects.ask import Ask, Asked, allocate, question_name
    from offtarget.evaluate.subjects.endpoint_subject import EndpointSubject
    from offtarget.evaluate.subjects.local_subject import LocalSubject
    from offtarget.evaluate.subjects.subject import (
        Answer,
        Answered,
        AnswerSampling,
        Missing,
        Subject,
        SubjectIdentity,
        SubjectKind,
        rollout_key,
    )

__all__ = [
    "Answer",
    "AnswerSampling",
    "Answered",
    "Ask",
    "Asked",
    "EndpointSubject",
    "LocalSubject",
    "Missing",
    "Subject",
    "SubjectIdentity",
    "SubjectKind",
    "allocate",
    "question_name",
    "rollout_key",
]

_HOMES = {
    "ask": ("Ask", "Asked", "allocate", "question_name"),
    "endpoint_subject": ("EndpointSubject",),
    "local_subject": ("LocalSubject",),
    "subject": (
        "Answer",
        "AnswerSampling",
        "Answered",
        "Missing",
        "Subject",
        "SubjectIdentity",
        "SubjectKind",
        "rollout_key",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"offtarget.evaluate.subjects.{_HOME[name]}"), name)
    raise AttributeError(f"module 'offtarget.evaluate.subjects' has no attribute {name!r}")
