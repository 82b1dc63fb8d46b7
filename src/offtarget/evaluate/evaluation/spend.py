"""What endpoints have really sent and received, written down while the work goes on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from offtarget.evaluate.evaluation.cost import CostLine, log_spend
from offtarget.lm.endpoint import Endpoint, Traffic

EVERY = 20
"""Answers or judgements between two entries: a killed run loses the count of fewer."""


class SpendLog:
    """Adds the traffic of some endpoints to a run's spend.jsonl."""

    def __init__(self, run: Path, endpoints: Mapping[str, Endpoint]) -> None:
        """Start counting from now.

        Args:
            run: The run directory, which is there: the test of a judge is paid for before the run
                writes anything of its own.
            endpoints: By role: subject, base, judge.
        """
        self._run, self._endpoints = run, endpoints
        self._told = {role: replace(one.traffic) for role, one in endpoints.items()}
        self._n = 0

    def step(self) -> None:
        """Count one answer or judgement."""
        self._n += 1
        if self._n % EVERY == 0:
            self.write()

    def write(self) -> None:
        """Write what was sent and received since the last time."""
        lines = []
        for role, endpoint in self._endpoints.items():
            now, before = replace(endpoint.traffic), self._told[role]
            lines.append(_line(role, endpoint.config.model, now, before))
            self._told[role] = now
        log_spend(self._run, lines)

    @contextmanager
    def running(self) -> Iterator["SpendLog"]:
        """Write what is left however the block ends."""
        try:
            yield self
        finally:
            self.write()


def _line(role: str, model: str, now: Traffic, before: Traffic) -> CostLine:
    return CostLine(
        role,
        model,
        now.n_requests - before.n_requests,
        now.n_prompt_tokens - before.n_prompt_tokens,
        now.n_completion_tokens - before.n_completion_tokens,
        None,
    )
