"""What every part of the benchmark runs on: model, arithmetic and threads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.lm import DTYPES, Arithmetic, LanguageModel, load_model, model_directory

CACHE = Path("~/.cache/offtarget")
MODEL = "embedded"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Parameters by where they are used."""

    inner: int
    """N: all that is neither embedding nor output projection."""
    head: int
    """The output projection, computed where logits are."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The plan's arithmetic and the model's files."""

    arithmetic: Arithmetic
    directory: Path
    """Safetensors of the embedded model, for the peers."""

    def load(self, dtype: str | None = None) -> LanguageModel:
        """Return a fresh copy of our model, in the plan's dtype unless told otherwise."""
        arithmetic = Arithmetic(
            device=self.arithmetic.device,
            dtype=dtype or self.arithmetic.dtype,
            threads=self.arithmetic.threads,
        )
        return load_model(MODEL, arithmetic=arithmetic, cache=CACHE.expanduser())

    def load_plain(self, dtype: str | None = None) -> Any:
        """Return the same weights as plain transformers loads them."""
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            self.directory, dtype=DTYPES[dtype or self.arithmetic.dtype], local_files_only=True
        )
        return model.eval().requires_grad_(False)


def open_setting(arithmetic: Arithmetic) -> Setting:
    """Return the setting; fetches the embedded model on first use."""
    directory, _ = model_directory(MODEL, cache=CACHE.expanduser())
    return Setting(arithmetic, directory)


def sizes_of(lm: LanguageModel) -> Sizes:
    """Return the parameter counts of a model without adapters."""
    head = lm.causal.get_output_embeddings().weight
    embedding = lm.causal.get_input_embeddings().weight
    total = sum(parameter.numel() for parameter in lm.causal.parameters())
    is_tied = head.data_ptr() == embedding.data_ptr()
    return Sizes(
        inner=total - embedding.numel() - (0 if is_tied else head.numel()), head=head.numel()
    )
