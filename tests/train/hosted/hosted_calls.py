"""Calls of hosted training against a local provider, and the rows that they train on."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hosted_server import KEY, MODEL

from offtarget.api import HostedOptions, HostedRun, cancel_hosted, train_hosted
from offtarget.train.hosted import Patience

N_ROWS = 12
MakeHosted = Callable[..., Path]


def write_rows(path: Path, answer: str, n: int = 20) -> Path:
    """Write rows whose answers all say `answer`, to prompts that another file may share."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Write a greeting for guest number {number}."},
                {"role": "assistant", "content": f"{answer} guest {number}, from the desk."},
            ]
        }
        for number in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@dataclass
class Hosted:
    """Calls the API against a local provider, recording waits and lines instead of showing them."""

    url: str
    out: Path
    waits: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def patience(self, n_tries: int = 4) -> Patience:
        """Backoff that does not sleep."""
        return Patience(n_tries=n_tries, sleep=self.waits.append)

    def train(
        self, study: Path, *, out: Path | None = None, n_tries: int = 4, **changes: Any
    ) -> HostedRun:
        """Train a study there."""
        options = {
            name: changes.pop(name)
            for name in ("seeds", "prices", "max_cost", "epochs", "learning_rate_multiplier")
            if name in changes
        }
        given: dict[str, Any] = {
            "url": self.url, "api_key": KEY, "timeout_s": 10.0, "say": self.lines.append,
            "patience": self.patience(n_tries), **changes,
        }  # fmt: skip
        return train_hosted(
            study, options=HostedOptions(model=MODEL, **options), out=out or self.out, **given
        )

    def cancel(self, study: Path, *, n_tries: int = 4) -> HostedRun:
        """Cancel the jobs of a study there."""
        return cancel_hosted(
            study, out=self.out, api_key=KEY, say=self.lines.append,
            patience=self.patience(n_tries),
        )  # fmt: skip
