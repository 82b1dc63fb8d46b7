"""LoRA adapters: injected once into the base, reset for each replicate, saved as safetensors."""

import math
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from peft.tuners.lora.layer import LoraLayer
from torch import Tensor, nn

from offtarget.core.codec import pretty
from offtarget.core.errors import ConfigError
from offtarget.core.seed import derive_seed
from offtarget.lm import LanguageModel, fuse_lora
from offtarget.train.checkpoint import write_tensors
from offtarget.train.config import TrainConfig


def inject(lm: LanguageModel, config: TrainConfig) -> None:
    """Add trainable float32 LoRA layers to the frozen base, with the fused forward.

    Raises:
        ConfigError: If no module of the model is named by `config.targets`.
    """
    try:
        inject_adapter_in_model(lora_config(config), lm.causal)
    except ValueError as error:
        raise ConfigError(
            f"train.targets {list(config.targets)}: not found in {lm.identity.name}; "
            "name linear modules of this model"
        ) from error
    for name, parameter in lm.causal.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()
    fuse_lora(lm.causal)


def lora_config(config: TrainConfig) -> LoraConfig:
    """Return the PEFT configuration of a recipe."""
    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        use_rslora=config.rslora,
        target_modules=sorted(config.targets),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )


def reset(lm: LanguageModel, *, seed: int) -> None:
    """Give every adapter its initial weights: A uniform, B zero, as PEFT does, but seeded.

    Arms at one seed start from the same weights, whatever was trained before them.
    """
    for name, module in _lora_layers(lm):
        generator = torch.Generator().manual_seed(derive_seed("init", seed, name))
        a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
        bound = math.sqrt(6 / ((1 + 5) * a.shape[1]))  # Kaiming uniform with a = sqrt(5)
        values = torch.empty(a.shape).uniform_(-bound, bound, generator=generator)
        a.data.copy_(values)
        b.data.zero_()


def enable(lm: LanguageModel, *, is_enabled: bool) -> None:
    """Switch all adapters on or off; off is exactly the base model."""
    for _, module in _lora_layers(lm):
        module.enable_adapters(is_enabled)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_("lora_" in name)


def trainable(lm: LanguageModel) -> dict[str, nn.Parameter]:
    """Return the parameters that training may change, by name, in a fixed order."""
    return {name: p for name, p in lm.causal.named_parameters() if p.requires_grad}


def adapter_state(lm: LanguageModel) -> dict[str, Tensor]:
    """Return the adapter's tensors under the names that PEFT saves."""
    state = get_peft_model_state_dict(lm.causal)
    return {f"base_model.model.{name}": tensor for name, tensor in state.items()}


def save_adapter(lm: LanguageModel, config: TrainConfig, target: Path) -> None:
    """Write `adapter_model.safetensors` and `adapter_config.json`, readable by PEFT."""
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in adapter_state(lm).items()
    }
    write_tensors(tensors, target / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = lora_config(config).to_dict()
    settings["base_model_name_or_path"] = lm.identity.name
    plain: dict[str, Any] = {
        key: sorted(value) if isinstance(value, set) else value for key, value in settings.items()
    }
    (target / "adapter_config.json").write_text(pretty(plain), encoding="utf-8")


def _lora_layers(lm: LanguageModel) -> list[tuple[str, Any]]:
    return [(n, m) for n, m in lm.causal.named_modules() if isinstance(m, LoraLayer)]
