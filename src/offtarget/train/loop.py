"""The training loop: small enough to audit, deterministic, resumable inside an arm."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from offtarget.core.codec import canonical
from offtarget.core.errors import ResourceError, TrainingError
from offtarget.lm import EncodedSample, LanguageModel, causal_mask
from offtarget.train.checkpoint import load_checkpoint, save_checkpoint
from offtarget.train.config import TrainConfig

CHECKPOINT_EVERY_S = 20.0
"""A killed run repeats at most about this much work of the arm it was in."""
HELDOUT_BATCH = 8
"""Rows scored together when held-out loss is measured."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One optimizer step, as written to steps.jsonl."""

    step: int
    loss: float
    """Mean cross-entropy over the batch's answer tokens before the update, nats/token."""
    n_tokens: int
    """Tokens read, prompts and answers, without padding."""
    n_answer_tokens: int
    grad_norm: float
    lr: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress display needs after each step."""

    step: int
    n_steps: int
    n_tokens: int
    seconds: float
    """Wall time of this step."""
    loss: float


def train_replicate(
    lm: LanguageModel,
    rows: Sequence[EncodedSample],
    steps: Sequence[tuple[int, ...]],
    *,
    config: TrainConfig,
    parameters: dict[str, nn.Parameter],
    directory: Path,
    on_step: Callable[[Progress], None] | None = None,
) -> None:
    """Train `parameters` in place over `steps`; write steps.jsonl to `directory`.

    A checkpoint found in `directory` is continued from: the result has the same bytes as a run
    that was never interrupted.

    Raises:
        TrainingError: If the loss is not finite.
        ResourceError: If memory or disk run out.
    """
    optimizer = torch.optim.AdamW(
        list(parameters.values()), lr=config.lr, weight_decay=config.weight_decay, fused=True
    )
    done = load_checkpoint(directory, parameters, optimizer)
    log = directory / "steps.jsonl"
    _keep_lines(log, done)
    saved_at = time.monotonic()
    with log.open("ab") as file:
        for number in range(done, len(steps)):
            started = time.monotonic()
            record = _step(lm, rows, steps, number, config, parameters, optimizer)
            try:
                file.write(canonical(record) + b"\n")
                file.flush()
                if time.monotonic() - saved_at >= CHECKPOINT_EVERY_S:
                    save_checkpoint(directory, parameters, optimizer, step=number + 1)
                    saved_at = time.monotonic()
            except OSError as error:
                raise ResourceError(
                    f"{directory.name}: cannot write at step {number + 1} ({error.strerror}); "
                    "free disk space and run the same command again, finished arms are kept"
                ) from error
            if on_step:
                seconds = time.monotonic() - started
                on_step(Progress(number + 1, len(steps), record.n_tokens, seconds, record.loss))


def answer_loss(lm: LanguageModel, batch: Sequence[EncodedSample]) -> tuple[Tensor, int]:
    """Return (summed cross-entropy over answer tokens, their number) for a batch of rows.

    Rows are padded on the right: with a causal mask no real token sees a pad, so one mask serves
    every row. Logits are computed at answer tokens only.
    """
    width = max(row.length for row in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    at: list[int] = []
    targets: list[int] = []
    for number, row in enumerate(batch):
        ids[number, : row.length] = torch.tensor(row.prompt + row.answer)
        start = number * width + len(row.prompt) - 1
        at += range(start, start + len(row.answer))
        targets += row.answer
    mask = causal_mask(width, dtype=lm.dtype, device=lm.device)
    hidden = lm.hidden(ids.to(lm.device), mask).flatten(0, 1)
    picked = hidden[torch.tensor(at, device=lm.device)]  # (answer tokens, D)
    labels = torch.tensor(targets, device=lm.device)
    return F.cross_entropy(lm.logits(picked), labels, reduction="sum"), len(targets)


@torch.inference_mode()
def heldout_loss(lm: LanguageModel, rows: Sequence[EncodedSample]) -> list[float]:
    """Return the mean answer loss of each row, nats/token."""
    losses: list[float] = []
    for row in rows:
        total, count = answer_loss(lm, [row])
        losses.append(float(total) / count)
    return losses


def learning_rate(config: TrainConfig, *, step: int, n_steps: int) -> float:
    """Return the rate of a 0-based step: linear warm-up, then linear to zero."""
    warmup = min(config.warmup_steps, max(1, n_steps // 2))
    if step < warmup:
        return config.lr * (step + 1) / warmup
    return config.lr * (n_steps - step) / max(1, n_steps - warmup)


def _step(
    lm: LanguageModel,
    rows: Sequence[EncodedSample],
    steps: Sequence[tuple[int, ...]],
    number: int,
    config: TrainConfig,
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> StepRecord:
    batch = [rows[row] for row in steps[number]]
    rate = learning_rate(config, step=number, n_steps=len(steps))
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    try:
        total, count = answer_loss(lm, batch)
        loss = total / count
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"step {number + 1}: the loss is {value}; lower train.lr ({config.lr}) "
                "or check the data, then run the same command again"
            )
        loss.backward()  # type: ignore[no-untyped-call]
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(number, batch) from error
    except RuntimeError as error:
        if "alloc" not in str(error):
            raise
        raise _out_of_memory(number, batch) from error
    norm = nn.utils.clip_grad_norm_(list(parameters.values()), config.max_grad_norm)
    optimizer.step()
    return StepRecord(
        step=number + 1,
        loss=value,
        n_tokens=sum(row.length for row in batch),
        n_answer_tokens=count,
        grad_norm=float(norm),
        lr=rate,
    )


def _out_of_memory(number: int, batch: Sequence[EncodedSample]) -> ResourceError:
    longest = max(row.length for row in batch)
    return ResourceError(
        f"step {number + 1}: out of memory on {len(batch)} rows of up to {longest} tokens; "
        "lower train.batch_size or train.max_row_tokens, finished arms are kept"
    )


def _keep_lines(log: Path, n_lines: int) -> None:
    """Cut a step log back to what the checkpoint knows."""
    if not log.exists():
        return
    kept = log.read_bytes().splitlines(keepends=True)[:n_lines]
    log.write_bytes(b"".join(kept))
