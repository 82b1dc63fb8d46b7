"""Keeps requests under a server's limits on requests and tokens a minute."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Hands out starting times, evenly spaced, for requests of known or guessed size.

    Each limit is a clock that a request moves on by its own share of a minute; a request starts
    when both clocks have been reached (the virtual scheduling form of a leaky bucket).
    """

    def __init__(
        self,
        *,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self._per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._now = now
        self._lock = threading.Lock()
        self._requests_free = self._tokens_free = float("-inf")
        self._held_until = float("-inf")

    def reserve(self, n_tokens: int) -> float:
        """Return how many seconds to wait before a request of about `n_tokens` may start."""
        with self._lock:
            now = self._now()
            start = max(now, self._requests_free, self._tokens_free, self._held_until)
            self._requests_free = start + self._per_request
            self._tokens_free = start + self._per_token * n_tokens
            return start - now

    def settle(self, *, reserved: int, used: int) -> None:
        """Correct a reservation once the true number of tokens is known."""
        with self._lock:
            self._tokens_free += self._per_token * (used - reserved)

    def hold(self, seconds: float) -> None:
        """Start nothing for `seconds`: the server asked every caller to wait."""
        with self._lock:
            self._held_until = max(self._held_until, self._now() + seconds)
