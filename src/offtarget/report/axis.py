"""A linear axis: values to positions, with ticks at round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values laid over a range of positions."""

    low: float
    high: float
    start: float
    """Position of `low`: pixels or columns."""
    end: float

    def at(self, value: float) -> float:
        """Return the position of `value`, kept inside the axis; `start` when it is not finite."""
        if not math.isfinite(value):
            return self.start
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, n: int = 5) -> tuple[float, ...]:
        """Return about `n` round values inside the axis."""
        step = _round_step((self.high - self.low) / n)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(index * step for index in range(first, last + 1))

    def tick_digits(self, n: int = 5) -> int:
        """Return the decimals that tell the ticks apart."""
        step = _round_step((self.high - self.low) / n)
        return min(9, max(0, -math.floor(math.log10(step) + 1e-9)))


def axis_over(values: Iterable[float], *, start: float, end: float) -> Axis:
    """Return an axis that holds all finite `values` with a little room at both ends."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    room = 0.06 * (high - low) or max(abs(high) * 0.1, 0.1)
    return Axis(low - room, high + room, start, end)


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return min((step for step in (1, 2, 5, 10) if step * power >= raw * 0.999), default=10) * power
