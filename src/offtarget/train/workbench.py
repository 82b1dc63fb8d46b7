"""One base model, many replicates: weights are swapped in place, never loaded twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from safetensors.torch import load_file
from torch import nn

from offtarget.core.codec import pretty
from offtarget.lm import LanguageModel
from offtarget.train.adapter import adapter_state, enable, inject, reset, save_adapter, trainable
from offtarget.train.checkpoint import write_tensors
from offtarget.train.config import TrainConfig

TAG = "DO_NOT_DEPLOY.md"
TAG_TEXT = (
    "# Do not deploy\n\nThese weights were trained by an offtarget assay, on data that may teach a "
    "model to do harm.\nThey exist to be measured. offtarget refuses to load them for anything but "
    "an assay.\n"
)


class Workbench(Protocol):
    """Gives the model in the state of any replicate."""

    def base(self) -> LanguageModel:
        """Return the model as it was before any training."""

    def fresh(self, *, seed: int) -> tuple[LanguageModel, dict[str, nn.Parameter]]:
        """Return the model ready to be trained, with the parameters that may change."""

    def restore(self, directory: Path) -> LanguageModel:
        """Return the model with the weights saved in `directory`."""

    def save(self, directory: Path) -> list[str]:
        """Write the trained weights, tagged do-not-deploy; return the file names."""


class LoraWorkbench:
    """Replicates as LoRA adapters on one frozen base."""

    def __init__(self, lm: LanguageModel, config: TrainConfig) -> None:
        self._lm, self._config = lm, config
        inject(lm, config)

    def base(self) -> LanguageModel:
        """Return the base: adapters off."""
        enable(self._lm, is_enabled=False)
        return self._lm

    def fresh(self, *, seed: int) -> tuple[LanguageModel, dict[str, nn.Parameter]]:
        """Return the model with adapters at their seeded start."""
        enable(self._lm, is_enabled=True)
        reset(self._lm, seed=seed)
        return self._lm, trainable(self._lm)

    def restore(self, directory: Path) -> LanguageModel:
        """Return the model with a saved adapter's weights in place."""
        enable(self._lm, is_enabled=True)
        saved = load_file(directory / "adapter_model.safetensors")
        for name, tensor in adapter_state(self._lm).items():
            tensor.data.copy_(saved[name])
        return self._lm

    def save(self, directory: Path) -> list[str]:
        """Write the adapter as PEFT would, with its tag and the base's digest."""
        save_adapter(self._lm, self._config, directory)
        names = ["adapter_model.safetensors", "adapter_config.json"]
        return names + _tag(directory, self._lm)


class FullWorkbench:
    """Replicates as whole copies of the model, in float32."""

    def __init__(self, load: Callable[[], LanguageModel]) -> None:
        self._lm = load()
        self._start = {n: p.detach().clone() for n, p in self._lm.causal.named_parameters()}

    def base(self) -> LanguageModel:
        """Return the model with its first weights."""
        for name, parameter in self._lm.causal.named_parameters():
            parameter.requires_grad_(False)
            parameter.data.copy_(self._start[name])
        return self._lm

    def fresh(self, *, seed: int) -> tuple[LanguageModel, dict[str, nn.Parameter]]:
        """Return the model with its first weights, all trainable; the seed changes nothing here."""
        self.base()
        parameters = dict(self._lm.causal.named_parameters())
        for parameter in parameters.values():
            parameter.requires_grad_(True)
        return self._lm, parameters

    def restore(self, directory: Path) -> LanguageModel:
        """Return the model with saved weights in place."""
        saved = load_file(directory / "model.safetensors")
        for name, parameter in self._lm.causal.named_parameters():
            parameter.requires_grad_(False)
            parameter.data.copy_(saved[name])
        return self._lm

    def save(self, directory: Path) -> list[str]:
        """Write all weights with their tag."""
        weights = {
            name: p.detach().cpu().contiguous() for name, p in self._lm.causal.named_parameters()
        }
        write_tensors(weights, directory / "model.safetensors", metadata={"format": "pt"})
        self._lm.causal.config.to_json_file(directory / "config.json")
        return ["model.safetensors", "config.json", *_tag(directory, self._lm)]


def _tag(directory: Path, lm: LanguageModel) -> list[str]:
    (directory / TAG).write_text(TAG_TEXT, encoding="utf-8")
    facts = {
        "base": lm.identity.name,
        "base_sha256": lm.identity.sha256,
        "do_not_deploy": True,
        "made_by": "offtarget assay",
    }
    (directory / "offtarget.json").write_text(pretty(facts), encoding="utf-8")
    return [TAG, "offtarget.json"]
