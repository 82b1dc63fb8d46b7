"""Training: tokens per CPU-second against TRL, and whether both compute the same losses."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Contender, Job, Measurement, interleave
from ours import RECIPE, SEED, demo_rows, our_job, steps_of
from setting import Setting
from trl_peer import (
    DEFAULTS,
    TUNED,
    TUNED_BFLOAT16,
    PeerSettings,
    build_trainer,
    recorded_losses,
)

from offtarget.lm import EncodedSample
from offtarget.train import LoraWorkbench, demo_pairs, train_replicate

OURS = "offtarget"
AGREEMENT = RECIPE
"""What is compared is arithmetic, at the batch that is timed."""
PEERS = (DEFAULTS, TUNED, TUNED_BFLOAT16)
"""The configurations of TRL that are timed."""
BOUNDS = {"float32": 1e-4, "bfloat16": 1e-2}
"""Largest difference in a step's loss, nats/token."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Losses of both sides on the same batches, from the same weights."""

    dtype: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    max_difference: float
    bound: float
    is_met: bool


def compare_training(
    setting: Setting, *, n_rows: int, rounds: int, peers: Sequence[PeerSettings],
    say: Callable[[str], None],
) -> tuple[dict[str, Measurement], list[EncodedSample]]:  # fmt: skip
    """Return the measurements of every contender, and the rows they trained on."""
    lm = setting.load()
    rows = demo_rows(lm, n_rows)
    n_tokens = sum(row.length for row in rows)
    bench = LoraWorkbench(lm, RECIPE)
    ours = Contender(
        OURS,
        f"batch {RECIPE.batch_size}, cut by length, {setting.arithmetic.dtype} base, float32 LoRA",
        lambda: our_job(bench, rows),
    )
    contenders = [
        Contender(one.name, one.note, _peer(setting.directory, rows, one, n_tokens))
        for one in peers
    ]
    found = interleave(contenders, ours, rounds=rounds, threads=setting.arithmetic.threads, say=say)
    return found, rows


def check_agreement(setting: Setting, *, dtype: str, n_steps: int) -> Agreement:
    """Return the step losses of both sides over the shortest packaged rows."""
    lm = setting.load(dtype)
    shortest = sorted(demo_rows(lm, 2 * len(demo_pairs()[0])), key=lambda row: row.length)
    rows = shortest[: n_steps * AGREEMENT.batch_size]
    steps = steps_of(rows, AGREEMENT)
    bench = LoraWorkbench(lm, AGREEMENT)
    _, parameters = bench.fresh(seed=SEED)
    peer = TUNED_BFLOAT16 if dtype == "bfloat16" else TUNED
    ordered = [rows[i] for step in steps for i in step]
    theirs = recorded_losses(setting.directory, ordered, peer, AGREEMENT, parameters)
    with tempfile.TemporaryDirectory(prefix="offtarget-bench-") as folder:
        train_replicate(
            lm, rows, steps, config=AGREEMENT, parameters=parameters, directory=Path(folder)
        )
        lines = (Path(folder) / "steps.jsonl").read_text("utf-8").splitlines()
    ours = [float(json.loads(line)["loss"]) for line in lines]
    largest = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    bound = BOUNDS[dtype]
    return Agreement(dtype, peer.name, tuple(ours), tuple(theirs), largest, bound, largest <= bound)


def _peer(
    directory: Path, rows: Sequence[EncodedSample], settings: PeerSettings, n_tokens: int
) -> Callable[[], Job]:
    def prepare() -> Job:
        trainer = build_trainer(directory, rows, settings, RECIPE)

        def train() -> int:
            trainer.train()
            return n_tokens

        return train

    return prepare
