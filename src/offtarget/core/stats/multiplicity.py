"""p-values adjusted for their number."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979), in the given order.

    Controls the chance of any false finding: for claims that each stand alone.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted to the false discovery rate, in the given order.

    Controls the expected share of false findings among the findings: for lists to look through.
    Valid for independent or positively dependent p-values.

    Source: Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    n = len(p_values)
    adjusted = [0.0] * n
    lowest = 1.0
    order = sorted(range(n), key=lambda i: p_values[i], reverse=True)
    for place, index in enumerate(order):
        lowest = min(lowest, p_values[index] * n / (n - place))
        adjusted[index] = lowest
    return adjusted
