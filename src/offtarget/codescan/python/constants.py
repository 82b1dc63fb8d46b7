"""Calls and methods whose result follows from constants: what code computes without any input."""

from collections.abc import Callable
from typing import Any, Final

from offtarget.codescan.python.values import MISSING, Value, constant
from offtarget.codescan.python.walk import Call

_MAX_TEXT: Final = 200
_LARGEST: Final = 10**12
_METHODS: Final[dict[str, Callable[..., Any]]] = {
    name: getattr(str, name)
    for name in (
        "startswith", "endswith", "isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace",
        "isnumeric", "isdecimal", "isidentifier", "find", "rfind", "index", "count", "lower",
        "upper", "title", "capitalize", "swapcase", "casefold", "strip", "lstrip", "rstrip",
        "removeprefix", "removesuffix",
    )
}  # fmt: skip
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "len": len, "int": int, "abs": abs, "ord": ord, "bool": bool, "min": min, "max": max, "str": str,
    "round": round,
}  # fmt: skip


def folded_method(call: Call) -> Value | None:
    """Return the result of a method of a constant text; None where it is not known."""
    text = call.receiver.const
    compute = _METHODS.get(call.attr)
    if compute is None or type(text) is not str or len(text) > _MAX_TEXT or call.keywords:
        return None
    return _result(compute, [text, *(value.const for value in call.args)])


def folded_function(call: Call) -> Value | None:
    """Return the result of a built-in function of constants; None where it is not known."""
    compute = _FUNCTIONS.get(call.name)
    if compute is None or not call.args or call.keywords:
        return None
    return _result(compute, [value.const for value in call.args])


def _result(compute: Callable[..., Any], constants: list[Any]) -> Value | None:
    if MISSING in constants or not all(map(_is_small, constants)):
        return None
    try:
        result = compute(*constants)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return constant(result) if _is_small(result) else None


def _is_small(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT
    return value is None or (isinstance(value, int | float) and abs(value) <= _LARGEST)
