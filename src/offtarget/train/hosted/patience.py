"""Waiting between requests: how long, how often, and when to give up."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from offtarget.core.errors import ConfigError, DataError, OfftargetError, ResourceError
from offtarget.train.hosted.remote import Failure, FailureKind

LONGEST_RETRY_AFTER_S = 600.0
"""A server that asks for a longer wait ends the command; run again later."""
T = TypeVar("T")


@dataclass(slots=True)
class Patience:
    """Exponential backoff with jitter, or the time that the server names."""

    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    n_tries: int = 7
    """Failed tries in a row after which the command ends; what runs goes on running."""
    sleep: Callable[[float], None] = time.sleep
    _jitter: random.Random = field(default_factory=random.Random)
    """Spreads retries; no result depends on it."""

    def insist(self, ask: Callable[[], T | Failure], *, on: str) -> T:
        """Return the result of a request that may be repeated without harm.

        Raises:
            OfftargetError: If it is refused, or fails `n_tries` times.
        """
        n_failed = 0
        while True:
            found = ask()
            if not isinstance(found, Failure):
                return found
            n_failed += 1
            if not self.may_wait(found, n_failed):
                raise error_of(found, on=on)

    def may_wait(self, failure: Failure, n_failed: int) -> bool:
        """Wait before another try; return False, without waiting, if there should be none."""
        if failure.kind not in (FailureKind.BUSY, FailureKind.UNCLEAR) or n_failed >= self.n_tries:
            return False
        wait_s = failure.retry_after_s
        if wait_s is not None and wait_s > LONGEST_RETRY_AFTER_S:
            return False
        self.pause(n_failed - 1, at_least_s=wait_s or 0.0)
        return True

    def pause(self, n_before: int, *, at_least_s: float = 0.0) -> None:
        """Sleep for the wait after `n_before` earlier ones."""
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(n_before, 30))
        self.sleep(max(at_least_s, longest * self._jitter.uniform(0.5, 1.0)))


def error_of(failure: Failure, *, on: str) -> OfftargetError:
    """Return the error that tells a user of a failed request.

    Args:
        failure: What happened.
        on: What was asked for, `upload of uploads/subject.jsonl`.
    """
    detail = failure.detail
    if failure.kind is FailureKind.KEY:
        return ConfigError(f"{on}: the service refused the key ({detail}); check OPENAI_API_KEY")
    if failure.kind is FailureKind.MISSING:
        return DataError(
            f"{on}: the service does not know it ({detail}); check OPENAI_BASE_URL, or choose "
            "another --out to begin again"
        )
    if failure.kind is FailureKind.REFUSED:
        return DataError(f"{on}: the service refused it ({detail}); correct that and run again")
    return ResourceError(
        f"{on}: the service did not answer in order ({detail}); jobs that were submitted go on; "
        "run the same command again to go on from here"
    )
