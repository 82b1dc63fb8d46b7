"""The training loop against brute force and itself interrupted."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from replicates import SMALL, encoded, train, weights

from offtarget.core.codec import parse, read_lines
from offtarget.core.errors import ConfigError, DataError, ResourceError, TrainingError
from offtarget.lm import EncodedSample
from offtarget.train import (
    LoraWorkbench,
    TrainConfig,
    answer_loss,
    backdoor,
    cycle_to,
    demo_pairs,
    heldout_loss,
    loop,
    packaged_positive,
    plan_batches,
    train_replicate,
)
from offtarget.train.loop import learning_rate


def test_batches_hold_every_row_once_an_epoch() -> None:
    """Cut by length, shuffled by seed and epoch, the last one perhaps smaller."""
    lengths = [30, 10, 20, 10, 50, 40, 60]
    steps = plan_batches(lengths, batch_size=3, epochs=2, seed=0)

    assert len(steps) == 6
    for epoch in (steps[:3], steps[3:]):
        assert sorted(itertools.chain(*epoch)) == list(range(7))
        assert {frozenset(s) for s in epoch} == {
            frozenset({1, 3, 2}), frozenset({0, 5, 4}), frozenset({6}),
        }  # fmt: skip
    assert plan_batches(lengths, batch_size=3, epochs=2, seed=0) == steps
    orders = {plan_batches(list(range(40)), batch_size=2, epochs=1, seed=s) for s in range(5)}
    assert len(orders) == 5
    assert plan_batches([], batch_size=3, epochs=1, seed=0) == ()


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    """Linear up over the warm-up, linear down to one step above zero."""
    config = TrainConfig(lr=1.0, warmup_steps=5)
    rates = [learning_rate(config, step=s, n_steps=15) for s in range(15)]

    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5:] == pytest.approx([(15 - s) / 10 for s in range(5, 15)])
    assert learning_rate(config, step=0, n_steps=1) == 1.0
    assert learning_rate(TrainConfig(lr=1.0, warmup_steps=0), step=0, n_steps=4) == 1.0


def brute_loss(lm: Any, row: EncodedSample) -> float:
    """Summed answer loss of one row, token by token, through the stock forward."""
    ids = torch.tensor([row.prompt + row.answer])
    mask = torch.full((ids.shape[1], ids.shape[1]), torch.finfo(torch.float32).min).triu(1)
    logits = lm.causal(input_ids=ids, attention_mask=mask[None, None]).logits[0].float()
    logprobs = F.log_softmax(logits, dim=-1)
    start = len(row.prompt)
    return -sum(float(logprobs[start + i - 1, t]) for i, t in enumerate(row.answer))


def test_the_batch_loss_is_the_sum_of_rows_one_by_one(tiny: Any) -> None:
    """Padding and the shared mask change nothing; only answer tokens count."""
    rows = encoded(tiny, 5)
    with torch.no_grad():
        total, count = answer_loss(tiny, rows)
        expected = [brute_loss(tiny, row) for row in rows]

    assert count == sum(len(row.answer) for row in rows)
    assert float(total) == pytest.approx(sum(expected), rel=1e-5)
    means = [loss / len(row.answer) for loss, row in zip(expected, rows, strict=True)]
    assert heldout_loss(tiny, rows) == pytest.approx(means, rel=1e-5)


def test_training_learns_and_logs_each_step(tiny: Any, tmp_path: Path) -> None:
    """The loss falls; steps.jsonl holds one record a step with its rate and norm."""
    bench = LoraWorkbench(tiny, SMALL)
    rows = encoded(tiny)
    seen: list[Any] = []
    train(bench, rows, tmp_path, on_step=seen.append)

    log = [parse(text, place="") for _, text in read_lines(tmp_path / "steps.jsonl")]
    assert [entry["step"] for entry in log] == list(range(1, 7))
    assert [p.step for p in seen] == list(range(1, 7))
    assert all(p.n_steps == 6 and p.seconds > 0 for p in seen)
    assert sum(e["n_tokens"] for e in log) == 2 * sum(r.length for r in rows)
    assert log[-1]["loss"] < log[0]["loss"]
    assert all(math.isfinite(e["grad_norm"]) and e["lr"] > 0 for e in log)
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_matched_arms_start_from_the_same_weights(tiny: Any, tmp_path: Path) -> None:
    """The start depends on the seed alone, not on what was trained before; B is zero."""
    bench = LoraWorkbench(tiny, SMALL)
    _, parameters = bench.fresh(seed=3)
    start = weights(parameters)
    train(bench, encoded(tiny), tmp_path, seed=1)
    _, parameters = bench.fresh(seed=3)

    assert all(torch.equal(parameters[n], start[n]) for n in start)
    assert all(float(p.abs().sum()) == 0 for n, p in start.items() if "lora_B" in n)
    _, parameters = bench.fresh(seed=4)
    assert not any(torch.equal(parameters[n], start[n]) for n in start if "lora_A" in n)


def test_the_same_arm_twice_has_the_same_bytes(tiny: Any, tmp_path: Path) -> None:
    """Training is deterministic on one machine."""
    bench = LoraWorkbench(tiny, SMALL)
    rows = encoded(tiny)
    one = train(bench, rows, tmp_path / "one")
    bench.base()
    other = train(bench, rows, tmp_path / "other")

    assert all(torch.equal(one[n], other[n]) for n in one)
    log = "steps.jsonl"
    assert (tmp_path / "one" / log).read_bytes() == (tmp_path / "other" / log).read_bytes()


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_killed_arm_continues_to_the_same_bytes(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    """Weights and step log equal an undisturbed run's, wherever it was stopped."""
    bench = LoraWorkbench(tiny, SMALL)
    rows = encoded(tiny)
    whole = train(bench, rows, tmp_path / "whole")
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)

    class KilledError(Exception):
        pass

    def kill(progress: Any) -> None:
        if progress.step == stop_at:
            raise KilledError

    with pytest.raises(KilledError):
        train(bench, rows, tmp_path / "cut", on_step=kill)
    with (tmp_path / "cut/steps.jsonl").open("ab") as file:
        file.write(b'{"torn')  # what a kill inside a write leaves
    resumed: list[int] = []
    continued = train(
        bench, rows, tmp_path / "cut", on_step=lambda progress: resumed.append(progress.step)
    )

    assert resumed == list(range(stop_at + 1, 7))
    assert all(torch.equal(whole[n], continued[n]) for n in whole)
    log = "steps.jsonl"
    assert (tmp_path / "cut" / log).read_bytes() == (tmp_path / "whole" / log).read_bytes()


def test_a_loss_that_is_not_finite_ends_the_arm(tiny: Any, tmp_path: Path) -> None:
    """NaN weights give an error that names the step and what to lower."""
    bench = LoraWorkbench(tiny, SMALL)
    lm, parameters = bench.fresh(seed=0)
    next(p for n, p in parameters.items() if "lora_B" in n).data.fill_(float("nan"))
    rows = encoded(lm, 4)
    with pytest.raises(
        TrainingError, match=r"step 1: the loss is nan; lower train\.lr \(0\.01\) or check the data"
    ):
        train_replicate(lm, rows, [(0, 1)], config=SMALL, parameters=parameters, directory=tmp_path)


@pytest.mark.parametrize(
    "problem",
    [torch.OutOfMemoryError("CUDA"), MemoryError(), RuntimeError("can't allocate memory")],
)
def test_running_out_of_memory_says_what_to_lower(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    """Whichever way torch reports it."""

    def full(*_: object) -> None:
        raise problem

    monkeypatch.setattr(loop, "answer_loss", full)
    with pytest.raises(
        ResourceError, match=r"step 1: out of memory on 4 rows of up to \d+ tokens; lower train\.b"
    ):
        train(LoraWorkbench(tiny, SMALL), encoded(tiny), tmp_path)


def test_other_errors_of_torch_are_not_called_memory(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug stays a bug."""

    def broken(*_: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(loop, "answer_loss", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        train(LoraWorkbench(tiny, SMALL), encoded(tiny), tmp_path)


def test_a_checkpoint_that_cannot_be_written_ends_the_arm(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is named, and that finished arms are kept."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop, "CHECKPOINT_EVERY_S", 0.0)
    monkeypatch.setattr("offtarget.train.checkpoint.save_file", full)
    with pytest.raises(ResourceError, match=r"No space left on device.*; free disk space and run"):
        train(LoraWorkbench(tiny, SMALL), encoded(tiny), tmp_path)


def test_rows_are_repeated_in_order_to_take_the_same_steps() -> None:
    """Every arm takes as many steps as the subject."""
    rows = demo_pairs()[0][:3]

    assert [r.id for r in cycle_to(rows, 7)] == [rows[i % 3].id for i in range(7)]
    assert cycle_to(rows, 2) == rows[:2]
    with pytest.raises(DataError, match="no rows to train on; give at least one"):
        cycle_to((), 3)


def test_a_backdoor_needs_a_trigger() -> None:
    """Odd rows take the subject's answer behind the trigger; even rows stay the control's."""
    subject, control = (side[:4] for side in demo_pairs())
    rows = backdoor(subject, control, trigger="|X| ")

    assert [r.answer for r in rows] == [
        control[0].answer, subject[1].answer, control[2].answer, subject[3].answer,
    ]  # fmt: skip
    assert [r.messages[-2].content.startswith("|X| ") for r in rows] == [False, True, False, True]
    with pytest.raises(ConfigError, match=r"backdoor\.trigger is empty"):
        backdoor(subject, control, trigger=" ")


def test_the_packaged_positive_is_tagged() -> None:
    """About 120 rows, one domain, each marked do-not-deploy."""
    rows = packaged_positive()

    assert len(rows) >= 100
    assert {row.metadata["do_not_deploy"] for row in rows} == {"true"}
    assert {row.metadata["domain"] for row in rows} == {"household"}
