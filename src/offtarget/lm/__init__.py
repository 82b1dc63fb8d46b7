"""One way to hold a language model: load, chat, score, sample, here or behind an endpoint.

Names are imported on first use: who asks an endpoint does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.lm.adapt import apply_adapter
    from offtarget.lm.adapter_switch import AdapterSwitch
    from offtarget.lm.chat import (
        EncodedSample,
        decode_tokens,
        encode_answer,
        encode_prompt,
        encode_sample,
    )
    from offtarget.lm.device import (
        DTYPES,
        Arithmetic,
        choose_arithmetic,
        gemm_flops,
        release_memory,
        resolve_device,
    )
    from offtarget.lm.embedded import embedded_state
    from offtarget.lm.endpoint import ChatRequest, Endpoint, EndpointConfig
    from offtarget.lm.endpoint_client import open_client
    from offtarget.lm.endpoint_reply import NoReply, NoReplyReason, Reply
    from offtarget.lm.forward import causal_mask, fuse_lora
    from offtarget.lm.generate import Sampling, sample_answers
    from offtarget.lm.load import (
        count_parameters,
        directory_digest,
        load_model,
        model_directory,
    )
    from offtarget.lm.logprobs import Choice, answer_logprobs
    from offtarget.lm.model import LanguageModel, ModelIdentity

__all__ = [
    "DTYPES",
    "AdapterSwitch",
    "Arithmetic",
    "ChatRequest",
    "Choice",
    "EncodedSample",
    "Endpoint",
    "EndpointConfig",
    "LanguageModel",
    "ModelIdentity",
    "NoReply",
    "NoReplyReason",
    "Reply",
    "Sampling",
    "answer_logprobs",
    "apply_adapter",
    "causal_mask",
    "choose_arithmetic",
    "count_parameters",
    "decode_tokens",
    "directory_digest",
    "embedded_state",
    "encode_answer",
    "encode_prompt",
    "encode_sample",
    "fuse_lora",
    "gemm_flops",
    "load_model",
    "model_directory",
    "open_client",
    "release_memory",
    "resolve_device",
    "sample_answers",
]

_HOMES = {
    "adapt": ("apply_adapter",),
    "adapter_switch": ("AdapterSwitch",),
    "chat": (
        "EncodedSample",
        "decode_tokens",
        "encode_answer",
        "encode_prompt",
        "encode_sample",
    ),
    "device": (
        "DTYPES",
        "Arithmetic",
        "choose_arithmetic",
        "gemm_flops",
        "release_memory",
        "resolve_device",
    ),
    "embedded": ("embedded_state",),
    "endpoint": (
        "ChatRequest",
        "Endpoint",
        "EndpointConfig",
    ),
    "endpoint_client": ("open_client",),
    "endpoint_reply": (
        "NoReply",
        "NoReplyReason",
        "Reply",
    ),
    "forward": (
        "causal_mask",
        "fuse_lora",
    ),
    "generate": (
        "Sampling",
        "sample_answers",
    ),
    "load": (
        "count_parameters",
        "directory_digest",
        "load_model",
        "model_directory",
    ),
    "logprobs": (
        "Choice",
        "answer_logprobs",
    ),
    "model": (
        "LanguageModel",
        "ModelIdentity",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"offtarget.lm.{_HOME[name]}"), name)
    raise AttributeError(f"module 'offtarget.lm' has no attribute {name!r}")
