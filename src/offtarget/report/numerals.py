"""Numbers as people read them: same digits, same minus sign, same units everywhere."""

import math

MINUS = "\u2212"
NONE = "n/a"


def number(value: float, *, digits: int = 3) -> str:
    """Return `value` with fixed decimals and a real minus sign; `n/a` when it is not finite."""
    if not math.isfinite(value):
        return NONE
    text = f"{value:,.{digits}f}" if abs(value) < 1e6 else f"{value:.2e}"
    if text.startswith("-") and not text.strip("-0.,"):
        text = text[1:]  # no minus zero
    return text.replace("-", MINUS)


def signed(value: float) -> str:
    """Return a difference with its sign: `+0.370`."""
    text = number(value)
    is_zero = not text.strip("0.")
    return f"+{text}" if value > 0 and text != NONE and not is_zero else text


def interval(low: float, high: float) -> str:
    """Return `[0.340, 0.400]`."""
    return f"[{number(low)}, {number(high)}]"


def signed_interval(low: float, high: float) -> str:
    """Return `[+0.340, +0.400]`."""
    return f"[{signed(low)}, {signed(high)}]"


def percent(rate: float) -> str:
    """Return a rate in [0, 1] for people: `87.9%`."""
    text = number(rate * 100, digits=1)
    return text if text == NONE else f"{text}%"


def p_value(p: float) -> str:
    """Return `p = 0.012`, or `p < 0.001`."""
    if not math.isfinite(p):
        return f"p {NONE}"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def count(n: int) -> str:
    """Return a count with thousands separated."""
    return f"{n:,}"


def duration(seconds: float) -> str:
    """Return a wall time: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 4 min`."""
    if not math.isfinite(seconds):
        return NONE
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(n: int, noun: str) -> str:
    """Return `1 seed` or `3 seeds`."""
    return f"{count(n)} {noun}" if n == 1 else f"{count(n)} {noun}s"
