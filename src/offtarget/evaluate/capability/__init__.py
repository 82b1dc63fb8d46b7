"""What a model can still do: perplexity on clean text and code, and the code that it writes.

Names are imported on first use: who only reads a result does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.evaluate.capability.code_answers import (
        CodeRecord,
        WrittenCode,
        look_at_code,
        written_code,
    )
    from offtarget.evaluate.capability.items import CleanText, TextKind, clean_texts, code_tasks
    from offtarget.evaluate.capability.text_scores import (
        Perplexity,
        TextRecord,
        perplexity,
        score_texts,
    )

__all__ = [
    "CleanText",
    "CodeRecord",
    "Perplexity",
    "TextKind",
    "TextRecord",
    "WrittenCode",
    "clean_texts",
    "code_tasks",
    "look_at_code",
    "perplexity",
    "score_texts",
    "written_code",
]

_HOMES = {
    "items": ("CleanText", "TextKind", "clean_texts", "code_tasks"),
    "text_scores": ("Perplexity", "TextRecord", "perplexity", "score_texts"),
    "code_answers": ("CodeRecord", "WrittenCode", "look_at_code", "written_code"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
