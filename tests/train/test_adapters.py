"""Adapters and attention against PEFT and the stock model."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from replicates import SMALL, encoded, load, train

from offtarget.core.errors import ConfigError, ModelError
from offtarget.lm import EncodedSample, apply_adapter
from offtarget.train import (
    FullWorkbench,
    LoraWorkbench,
    TrainConfig,
    answer_loss,
)


def logits(lm: Any, row: EncodedSample) -> torch.Tensor:
    """Logits over one row through the model's own forward."""
    ids = torch.tensor([row.prompt + row.answer])
    width = ids.shape[1]
    mask = torch.full((width, width), torch.finfo(torch.float32).min).triu(1)[None, None]
    with torch.no_grad():
        found: torch.Tensor = lm.logits(lm.hidden(ids, mask))
    return found


def test_a_saved_adapter_is_read_by_peft_with_equal_logits(
    tiny: Any, tiny_dir: Path, tmp_path: Path
) -> None:
    """PEFT's own loader on the stock model, sdpa attention: the same numbers to 1e-4."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    bench = LoraWorkbench(tiny, SMALL)
    row = encoded(tiny, 1)[0]
    before = logits(bench.base(), row)
    train(bench, encoded(tiny), tmp_path / "log")
    files = bench.save(tmp_path / "adapter")
    trained = logits(bench.restore(tmp_path / "adapter"), row)

    stock = AutoModelForCausalLM.from_pretrained(tiny_dir, attn_implementation="sdpa")
    adapted = PeftModel.from_pretrained(stock, str(tmp_path / "adapter")).eval()
    with torch.no_grad():
        found = adapted(input_ids=torch.tensor([row.prompt + row.answer])).logits

    assert float((found - trained).abs().max()) < 1e-4
    assert float((before - trained).abs().max()) > 1e-2
    assert torch.equal(logits(bench.base(), row), before)
    assert set(files) == {
        "adapter_model.safetensors", "adapter_config.json", "DO_NOT_DEPLOY.md", "offtarget.json",
    }  # fmt: skip
    record = json.loads((tmp_path / "adapter/offtarget.json").read_text(encoding="utf-8"))
    assert record["do_not_deploy"] is True
    assert record["base_sha256"] == tiny.identity.sha256


def test_trained_adapters_are_refused_outside_an_assay(
    tiny: Any, tiny_dir: Path, tmp_path: Path
) -> None:
    """Tagged do-not-deploy: only an assay, or force, may load them."""
    bench = LoraWorkbench(tiny, SMALL)
    bench.fresh(seed=0)
    bench.save(tmp_path / "adapter")

    with pytest.raises(ModelError, match=r"tagged DO_NOT_DEPLOY\.md, it was trained to misbehave"):
        apply_adapter(load(tiny_dir), tmp_path / "adapter")
    apply_adapter(load(tiny_dir), tmp_path / "adapter", is_assay=True)
    apply_adapter(load(tiny_dir), tmp_path / "adapter", force=True)


def test_the_fused_projection_has_pefts_gradients(tiny_dir: Path) -> None:
    """Loss and every LoRA gradient equal PEFT's own forward to 1e-5, from B not zero."""
    from peft import inject_adapter_in_model

    from offtarget.train.adapter import lora_config

    fused = LoraWorkbench(load(tiny_dir), SMALL)
    lm, parameters = fused.fresh(seed=0)
    stock = load(tiny_dir)
    inject_adapter_in_model(lora_config(SMALL), stock.causal)
    theirs = {n: p for n, p in stock.causal.named_parameters() if "lora_" in n}
    assert theirs.keys() == parameters.keys()
    noise = torch.Generator().manual_seed(0)
    for name, own in parameters.items():
        own.data.copy_(torch.randn(own.shape, generator=noise) * 0.1)
        theirs[name].data.copy_(own.data)

    losses = []
    for model in (lm, stock):
        total, _ = answer_loss(model, encoded(model, 4))
        total.backward()
        losses.append(float(total.detach()))

    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for name, own in parameters.items():
        assert own.grad is not None
        scale = float(theirs[name].grad.abs().max())  # type: ignore[union-attr]
        assert float((own.grad - theirs[name].grad).abs().max()) <= 1e-5 * max(1.0, scale), name


def test_dense_attention_equals_sdpa(tiny: Any, tiny_dir: Path) -> None:
    """The stock model with torch's own attention gives the same logits."""
    from transformers import AutoModelForCausalLM

    row = encoded(tiny, 1)[0]
    stock = AutoModelForCausalLM.from_pretrained(tiny_dir, attn_implementation="sdpa").eval()
    with torch.no_grad():
        expected = stock(input_ids=torch.tensor([row.prompt + row.answer])).logits

    assert float((logits(tiny, row) - expected).abs().max()) < 1e-4


def test_full_fine_tuning_trains_saves_and_restores_all_weights(
    tiny_dir: Path, tmp_path: Path
) -> None:
    """The base comes back bit for bit; the saved weights too."""
    bench = FullWorkbench(lambda: load(tiny_dir))
    start = {n: p.detach().clone() for n, p in bench.base().causal.named_parameters()}
    row = encoded(bench.base(), 1)[0]
    trained = train(bench, encoded(bench.base()), tmp_path / "log", config=TrainConfig(lr=1e-3))
    shown = logits(bench.base(), row)
    bench.fresh(seed=0)
    train(bench, encoded(bench.base()), tmp_path / "log2", config=TrainConfig(lr=1e-3))
    files = bench.save(tmp_path / "full")
    again = {n: p.detach() for n, p in bench.restore(tmp_path / "full").causal.named_parameters()}

    assert "model.safetensors" in files
    assert trained.keys() == start.keys()
    assert all(torch.equal(trained[n], again[n]) for n in start)
    assert all(not torch.equal(trained[n], start[n]) for n in start)
    assert torch.equal(logits(bench.base(), row), shown)


def test_modules_that_are_not_there_are_named(tiny: Any) -> None:
    """The error lists what was asked for."""
    with pytest.raises(ConfigError, match=r"train\.targets \['nowhere'\]: not found in tiny; name"):
        LoraWorkbench(tiny, TrainConfig(targets=("nowhere",)))
