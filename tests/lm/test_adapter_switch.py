"""Adapters put on one base in turn."""

from pathlib import Path
from typing import Any

import pytest

from offtarget.core.errors import ModelError
from offtarget.lm import Arithmetic, Sampling, apply_adapter, load_model, sample_answers
from offtarget.lm.adapter_switch import AdapterSwitch

CPU = Arithmetic(device="cpu", dtype="float32", threads=1)
PROMPTS = [tuple(range(5, 30)), tuple(range(7, 40)), tuple(range(5, 30))]


def adapter(model: Path, target: Path, *, seed: int, rank: int, names: list[str]) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model

    lm = load_model(str(model), arithmetic=CPU, cache=target / "cache")
    settings = LoraConfig(
        r=rank, target_modules=names, init_lora_weights=False, task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        get_peft_model(lm.causal, settings).save_pretrained(target)
    return target


def answers(lm: Any) -> list[list[int]]:
    return sample_answers(lm, PROMPTS, Sampling(12, 1.0, 1.0, 0))


def test_each_adapter_says_what_it_says_on_a_base_of_its_own(
    tiny_dir: Path, tmp_path: Path
) -> None:
    """Base, one adapter, another of other shape, base again: each as if loaded alone."""
    one = adapter(tiny_dir, tmp_path / "one", seed=1, rank=4, names=["q_proj", "v_proj"])
    two = adapter(tiny_dir, tmp_path / "two", seed=2, rank=8, names=["k_proj", "down_proj"])

    def alone(directory: Path | None) -> list[list[int]]:
        lm = load_model(str(tiny_dir), arithmetic=CPU, cache=tmp_path / "cache")
        return answers(lm if directory is None else apply_adapter(lm, directory, is_assay=True))

    base = load_model(str(tiny_dir), arithmetic=CPU, cache=tmp_path / "cache")
    switch = AdapterSwitch(base)
    expected = {directory: alone(directory) for directory in (None, one, two)}
    assert len({str(found) for found in expected.values()}) == 3
    for directory in (None, one, two, None, two, one, one):
        assert answers(switch.put(directory)) == expected[directory]


def test_a_tagged_adapter_is_for_measuring_only_and_a_refusal_leaves_the_base_bare(
    tiny_dir: Path, tmp_path: Path
) -> None:
    """A do-not-deploy adapter needs `is_assay`; after the error the base answers as before."""
    one = adapter(tiny_dir, tmp_path / "one", seed=1, rank=4, names=["q_proj"])
    (one / "DO_NOT_DEPLOY.md").write_text("trained by an assay\n")
    lm = load_model(str(tiny_dir), arithmetic=CPU, cache=tmp_path / "cache")
    before = answers(lm)
    switch = AdapterSwitch(lm)
    switch.put(one, is_assay=True)
    switch.put(None)
    with pytest.raises(ModelError, match="it was trained to misbehave"):
        switch.put(one)
    assert answers(switch.put(None)) == before


def test_a_repeated_prompt_is_read_once_and_rows_have_seeds_of_their_own(tiny: Any) -> None:
    """Equal seeds give equal answers wherever the row stands; other seeds give others."""
    sampling = Sampling(12, 1.0, 1.0, 0)
    prompt = PROMPTS[0]
    many = sample_answers(tiny, [prompt] * 4, sampling, seeds=[7, 8, 7, 9])
    assert many[0] == many[2]
    assert len({tuple(answer) for answer in many}) == 3
    mixed = sample_answers(tiny, [PROMPTS[1], prompt], sampling, seeds=[1, 7])
    assert mixed[1] == many[0]
