"""Adapters are checked for code, for their base and for the tag that forbids deployment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from offtarget.core.errors import ModelError
from offtarget.lm.adapter_files import (
    DO_NOT_DEPLOY,
    AdapterFiles,
    check_adapter_base,
    check_adapter_directory,
    refuse_deployment,
)

CONFIG: dict[str, Any] = {
    "base_model_name_or_path": "org/base",
    "lora_alpha": 8,
    "peft_type": "LORA",
    "r": 4,
    "target_modules": ["q_proj", "v_proj"],
    "task_type": "CAUSAL_LM",
}
MODULE = "model.layers.0.self_attn.q_proj"
PREFIX = f"base_model.model.{MODULE}"
SHAPES = {f"{MODULE}.weight": (16, 8), "lm_head.weight": (32, 8), "model.wte.weight": (32, 8)}
DIGEST = "a" * 64


def save(folder: Path, weights: dict[str, tuple[int, ...]]) -> None:
    save_file(
        {name: torch.zeros(shape) for name, shape in weights.items()},
        folder / "adapter_model.safetensors",
    )


FACTORS = {f"{PREFIX}.lora_A.weight": (4, 8), f"{PREFIX}.lora_B.weight": (16, 4)}


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A small LoRA adapter that is in order."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    configure(folder)
    save(folder, FACTORS)
    return folder


def configure(folder: Path, **changes: object) -> None:
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG | changes))


def check_base(files: AdapterFiles, *, base_sha256: str | None = None) -> None:
    check_adapter_base(files, base_name="other/base", base_sha256=base_sha256, shapes=SHAPES)


def test_a_lora_adapter_is_accepted(adapter: Path) -> None:
    """All that is known about it comes back."""
    (adapter / "offtarget.json").write_text(json.dumps({"base_sha256": DIGEST}))

    files = check_adapter_directory(adapter)

    assert (files.base_model, files.base_sha256) == ("org/base", DIGEST)
    assert files.weights == adapter / "adapter_model.safetensors"
    assert files.config["r"] == 4
    assert files.shapes == FACTORS
    assert not files.is_do_not_deploy
    check_base(files, base_sha256=DIGEST)
    check_base(files)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # PEFT's own call
def test_an_adapter_of_peft_is_accepted(tmp_path: Path) -> None:
    """What PEFT itself saves for a tiny Llama passes both checks."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    base = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=8,
            intermediate_size=16,
            num_attention_heads=2,
            num_hidden_layers=1,
            vocab_size=32,
        )
    )
    shapes = {name: tuple(weight.shape) for name, weight in base.state_dict().items()}
    lora = LoraConfig(
        r=4, task_type="CAUSAL_LM", target_modules=["q_proj", "up_proj", "embed_tokens"]
    )
    get_peft_model(base, lora).save_pretrained(tmp_path, save_embedding_layers=False)

    files = check_adapter_directory(tmp_path)

    check_adapter_base(files, base_name="tiny", base_sha256=None, shapes=shapes)
    with pytest.raises(ModelError, match="no matching weight in 'other/base'"):
        check_base(files)


def put(name: str, value: object) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(
        value if isinstance(value, str) else json.dumps(value)
    )


def config(**changes: object) -> Callable[[Path], object]:
    return lambda folder: configure(folder, **changes)


def pickled(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def lie(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda d: (d / "adapter_config.json").unlink(), "no adapter_config.json"),
    "pickle": (pickled, "no adapter_model.safetensors; adapter_model.bin is a pickle"),
    "no weights": (lambda d: (d / "adapter_model.safetensors").unlink(), "no adapter_model.safe"),
    "truncated": (lie, "adapter_model.safetensors: tensor"),
    "code": (put("train.py", ""), "train.py: the directory holds code"),
    "auto_map": (config(auto_map={"a": "b"}), "adapter_config.json: auto_map"),
    "not json": (put("adapter_config.json", "{"), "adapter_config.json: not JSON"),
    "kind": (config(peft_type="IA3"), "peft_type is 'IA3', only LORA"),
    "task": (config(task_type="SEQ_CLS"), "task_type is 'SEQ_CLS'"),
    "rank": (config(r=0), "r is 0, allowed are 1 to 4096"),
    "true rank": (config(r=True), "r is True"),
    "base": (config(base_model_name_or_path=3), "base_model_name_or_path is 3"),
    "import": (config(auto_mapping={"parent_library": "os"}), "auto_mapping = "),
    "megatron": (config(megatron_config={"a": 1}), "megatron_config = "),
    "no targets": (config(target_modules=[]), "target_modules is empty"),
    "pattern": (config(target_modules="(a+)+$"), r"target_modules holds '\(a\+\)\+\$'"),
    "listed pattern": (config(target_modules=["a|b"]), r"target_modules holds 'a\|b'"),
    "number": (config(target_modules=3), "target_modules is a int"),
    "odd rank pattern": (
        config(rank_pattern={"q_proj": [4]}),
        r"q_proj is \[4\]; it must be a pos",
    ),
    "listed rank pattern": (config(rank_pattern=["q_proj"]), r"rank_pattern is \['q_proj'\]"),
    "alpha": (config(lora_alpha="8"), "lora_alpha is 8; it must be a positive number"),
    "rank pattern": (config(rank_pattern={"(a+)+$": 4}), "rank_pattern holds"),
    "record": (put("offtarget.json", {"base_sha256": "x"}), "offtarget.json: base_sha256 is 'x'"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_hostile_adapters_are_refused(name: str, adapter: Path) -> None:
    """The message names the file, the field and the value."""
    spoil, pattern = REFUSALS[name]
    spoil(adapter)

    with pytest.raises(ModelError, match=pattern):
        check_adapter_directory(adapter)


def test_a_recorded_digest_of_another_base_is_refused(adapter: Path) -> None:
    """Same shapes, other weights: only the digest can tell."""
    (adapter / "offtarget.json").write_text(json.dumps({"base_sha256": DIGEST}))

    with pytest.raises(ModelError, match="recorded base sha256 aaaaaaaaaaaaaaaa, but 'other/base'"):
        check_base(check_adapter_directory(adapter), base_sha256="b" * 64)


@pytest.mark.parametrize(
    ("weights", "pattern"),
    [
        (FACTORS | {f"{PREFIX}.lora_A.weight": (4, 9)}, r"has shape \(4, 9\), which does not fit"),
        (FACTORS | {f"{PREFIX}.lora_B.weight": (17, 4)}, r"has shape \(17, 4\), which does not"),
        (FACTORS | {f"{PREFIX}.lora_A.weight": (5, 8)}, "at rank 4"),
        ({f"{PREFIX}.lora_A.weight": (4, 8)}, "do not pair"),
        ({f"{PREFIX}x.lora_A.weight": (4, 8)}, "no matching weight in 'other/base'"),
        (FACTORS | {f"{PREFIX}.lora_A.weight": (4, 8, 1)}, "no matching weight"),
        (FACTORS | {"base_model.model.lm_head.weight": (33, 8)}, r"\(32, 8\) there"),
        (FACTORS | {"unknown": (1,)}, "neither a LoRA factor nor a weight"),
        ({"base_model.model.lm_head.weight": (32, 8)}, "no LoRA weights"),
    ],
)
def test_weights_of_another_base_are_refused(
    adapter: Path, weights: dict[str, tuple[int, ...]], pattern: str
) -> None:
    """Every factor must fit the base weight that it changes."""
    save(adapter, weights)

    with pytest.raises(ModelError, match=pattern):
        check_base(check_adapter_directory(adapter))


def test_other_layouts_fit(adapter: Path) -> None:
    """Whole saved modules, embeddings, ranks by pattern and transposed weights are understood."""
    embedding = "base_model.model.model.wte"
    save(
        adapter,
        FACTORS
        | {"base_model.model.lm_head.weight": (32, 8)}
        | {f"{embedding}.lora_embedding_A": (2, 32), f"{embedding}.lora_embedding_B": (8, 2)},
    )
    configure(adapter, rank_pattern={"wte": 2})
    check_base(check_adapter_directory(adapter))

    save(adapter, {f"{PREFIX}.lora_A.weight": (4, 16), f"{PREFIX}.lora_B.weight": (8, 4)})
    configure(adapter, fan_in_fan_out=True)
    check_base(check_adapter_directory(adapter))


def test_a_tagged_adapter_is_only_for_assays(adapter: Path) -> None:
    """The tag forbids every other use unless it is forced."""
    (adapter / DO_NOT_DEPLOY).write_text("trained to misbehave")
    files = check_adapter_directory(adapter)

    assert files.is_do_not_deploy
    refuse_deployment(files, is_assay=True, force=False)
    refuse_deployment(files, is_assay=False, force=True)
    with pytest.raises(ModelError, match=r"adapter: tagged DO_NOT_DEPLOY\.md"):
        refuse_deployment(files, is_assay=False, force=False)


def test_an_untagged_adapter_may_be_deployed(adapter: Path) -> None:
    """No tag, no refusal."""
    refuse_deployment(check_adapter_directory(adapter), is_assay=False, force=False)
