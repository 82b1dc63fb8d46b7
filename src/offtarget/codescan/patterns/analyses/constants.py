"""Numbers that stand in C code: sums and products of numbers, sizes of types, lengths of strings."""

import re
from collections.abc import Callable

MAX_TOKENS = 40
UNITS = {
    "char": 1, "wchar_t": 4, "int": 4, "short": 2, "float": 4, "double": 8, "long": 8, "uint8_t": 1,
    "int8_t": 1, "uint16_t": 2, "int16_t": 2, "uint32_t": 4, "int32_t": 4, "int64_t": 8,
    "uint64_t": 8, "u8": 1, "u16": 2, "u32": 4, "u64": 8, "BYTE": 1, "byte": 1, "u_char": 1,
    "size_t": 8, "unsigned": 4, "TCHAR": 1,
}  # fmt: skip
"""Sizes in bytes on common 64-bit machines; of other types only multiples are compared."""
_TOKEN = re.compile(
    r"\s*(?:(\d{1,9})[uUlL]*(?![\w.])|sizeof\s*\(\s*([\w\s*]{1,60}?)\s*\)"
    r"|(?:str|wcs)len\s*\(\s*(\w+)\s*\)|\(\s*(?:size_t|int|unsigned)\s*\)|([-+*()])"
    r"|([A-Za-z_]\w*)(?![\w.(\[]))"
)

Lookup = Callable[[str], int | None]


def unit_of(type_name: str) -> int | None:
    """Return the size of a type in bytes; 8 for one that is not known."""
    name = type_name.strip()
    if name.endswith("*"):
        return 8
    return UNITS.get(name.split()[-1], 8) if name else None


def _unknown(name: str) -> None:
    return None


def constant(
    text: str, size_of: Lookup, length_of: Lookup, value_of: Lookup = _unknown
) -> int | None:
    """Return the value of an expression of `+`, `-` and `*`, or None if a part is not known.

    Args:
        text: The expression.
        size_of: What `sizeof` of a name is.
        length_of: What `strlen` of a name is.
        value_of: What a name is.
    """
    tokens: list[int | str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) >= MAX_TOKENS:
            return None
        at = match.end()
        if match[1] is not None:
            tokens.append(int(match[1]))
        elif match[2] is not None or match[3] is not None or match[5] is not None:
            value = (
                size_of(match[2]) if match[2] is not None
                else length_of(match[3]) if match[3] is not None
                else value_of(match[5])
            )  # fmt: skip
            if value is None:
                return None
            tokens.append(value)
        elif match[4] is not None:
            tokens.append(match[4])
    value, at = _sum(tokens, 0) if tokens else (None, 0)
    return value if at == len(tokens) else None


def _sum(tokens: list[int | str], at: int) -> tuple[int | None, int]:
    total, at = _product(tokens, at)
    while total is not None and at < len(tokens) and tokens[at] in ("+", "-"):
        value, after = _product(tokens, at + 1)
        if value is None:
            return None, after
        total = total + value if tokens[at] == "+" else total - value
        at = after
    return total, at


def _product(tokens: list[int | str], at: int) -> tuple[int | None, int]:
    total, at = _atom(tokens, at)
    while total is not None and at < len(tokens) and tokens[at] == "*":
        value, at = _atom(tokens, at + 1)
        if value is None:
            return None, at
        total *= value
    return total, at


def _atom(tokens: list[int | str], at: int) -> tuple[int | None, int]:
    if at >= len(tokens):
        return None, at
    first = tokens[at]
    if isinstance(first, int):
        return first, at + 1
    if first == "(":
        value, at = _sum(tokens, at + 1)
        return (value, at + 1) if at < len(tokens) and tokens[at] == ")" else (None, at)
    return None, at
