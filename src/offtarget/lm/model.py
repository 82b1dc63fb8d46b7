"""One way to hold a language model, whatever it was loaded from."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What a run records of a model so that another person can get the same one."""

    name: str
    """As the user gave it, or `embedded`."""
    kind: str
    """`embedded`, `hub`, `directory` or `gguf`, and `+adapter` where one was applied."""
    sha256: str
    """Digest over config and weights."""
    n_parameters: int


@dataclass(slots=True, eq=False)
class LanguageModel:
    """A causal model with its tokenizer, chat template, device and dtype."""

    causal: Any
    """The transformers model; adapters are injected into it in place."""
    tokenizer: Any
    template: str
    identity: ModelIdentity
    device: torch.device
    dtype: torch.dtype

    def hidden(
        self, ids: Tensor, mask: Tensor, positions: Tensor | None = None, cache: Any = None
    ) -> Tensor:
        """Return the last hidden states, shape (B, T, D), before the output projection.

        Args:
            ids: Token ids, shape (B, T).
            mask: Additive attention mask, shape (B or 1, 1, T, S).
            positions: Shape (B or 1, T); counted from 0 (or the cache's length) when None.
            cache: A transformers cache that grows by T, or None.
        """
        output = self.causal.base_model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """Return float32 logits, shape (..., V), of hidden states of shape (..., D)."""
        scores: Tensor = self.causal.get_output_embeddings()(hidden).float()
        config = self.causal.config
        cap = getattr(config, "final_logit_softcapping", None)
        if cap:  # Gemma 2
            scores = torch.tanh(scores / cap) * cap
        divisor = getattr(config, "logits_scaling", None)
        if divisor:  # Granite
            scores = scores / divisor
        factor = getattr(config, "logit_scale", None)
        if factor:  # Cohere
            scores = scores * factor
        return scores

    @property
    def end_ids(self) -> frozenset[int]:
        """Token ids that end an answer."""
        ends = self.causal.generation_config.eos_token_id
        listed = ends if isinstance(ends, list) else [ends]
        return frozenset(i for i in (*listed, self.tokenizer.eos_token_id) if i is not None)

    @property
    def context_length(self) -> int:
        """Longest sequence the model was built for, in tokens."""
        return int(getattr(self.causal.config, "max_position_embeddings", 2048))
