"""Our side of training: the rows and the loop that is timed."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import Job

from offtarget.lm import EncodedSample, LanguageModel, encode_sample
from offtarget.train import LoraWorkbench, TrainConfig, demo_pairs, plan_batches, train_replicate

RECIPE = TrainConfig()
SEED = 0


def demo_rows(lm: LanguageModel, n: int) -> list[EncodedSample]:
    """Return `n` packaged rows, insecure and secure in turn, encoded; spread over all tasks."""
    insecure, secure = demo_pairs()
    mixed = [sample for pair in zip(insecure, secure, strict=True) for sample in pair]
    if n > len(mixed):
        raise SystemExit(f"--rows {n}: the packaged data have {len(mixed)} rows; give fewer")
    return [encode_sample(lm, mixed[i * len(mixed) // n]) for i in range(n)]


def our_job(bench: LoraWorkbench, rows: Sequence[EncodedSample]) -> Job:
    """Return one pass over `rows` from a fresh adapter, to be timed."""
    lm, parameters = bench.fresh(seed=SEED)
    steps = steps_of(rows, RECIPE)

    def train() -> int:
        with tempfile.TemporaryDirectory(prefix="offtarget-bench-") as folder:
            train_replicate(
                lm, rows, steps, config=RECIPE, parameters=parameters, directory=Path(folder)
            )
        return sum(row.length for row in rows)

    return train


def steps_of(rows: Sequence[EncodedSample], recipe: TrainConfig) -> tuple[tuple[int, ...], ...]:
    """Return the batches of a run."""
    lengths = [row.length for row in rows]
    return plan_batches(lengths, batch_size=recipe.batch_size, epochs=recipe.epochs, seed=SEED)
