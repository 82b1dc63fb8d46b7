"""One way to hold a language model: load, chat, score, sample."""

from offtarget.lm.adapt import apply_adapter
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
    "Arithmetic",
    "Choice",
    "EncodedSample",
    "LanguageModel",
    "ModelIdentity",
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
    "release_memory",
    "resolve_device",
    "sample_answers",
]
