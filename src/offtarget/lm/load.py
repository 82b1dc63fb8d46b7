"""Load a model from wherever it is, after its files have been checked."""

import hashlib
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from offtarget.core.codec import file_digest
from offtarget.core.errors import ModelError, ResourceError
from offtarget.lm.device import DTYPES, Arithmetic, prepare
from offtarget.lm.embedded import NAME, convert_gguf, embedded_directory
from offtarget.lm.forward import ATTENTION, fuse_norms
from offtarget.lm.model import LanguageModel, ModelIdentity
from offtarget.lm.refuse import check_model_directory

SAFE_PATTERNS = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]
"""All that is ever fetched from a hub: no pickle, no code."""


def model_directory(reference: str, *, cache: Path) -> tuple[Path, str]:
    """Return (directory of safetensors, kind) for `embedded`, a path, a GGUF file or a hub id.

    Raises:
        ModelError: If the files are refused or there are none.
        ResourceError: If something must be fetched and cannot be.
    """
    if reference == NAME:
        return embedded_directory(cache), NAME
    path = Path(reference).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"{reference}: no such GGUF file; check the path")
        return _converted(path, cache), "gguf"
    if path.is_dir():
        return path, "directory"
    if path.exists():
        raise ModelError(
            f"{reference}: not a model; give a directory with safetensors, a .gguf file or a hub id"
        )
    if reference.startswith(("/", ".", "~")) or reference.count("/") != 1:
        raise ModelError(
            f"{reference}: no such directory, and not a hub id (owner/name); "
            "see `offtarget models` for what can be used"
        )
    return _fetched(reference), "hub"


def load_model(reference: str, *, arithmetic: Arithmetic, cache: Path) -> LanguageModel:
    """Return the model named by `reference` on the plan's device and in its dtype.

    Raises:
        ModelError: If the model is refused, broken or has no chat template.
        ResourceError: If it does not fit into memory or cannot be fetched.
    """
    directory, kind = model_directory(reference, cache=cache)
    check_model_directory(directory)
    device = prepare(arithmetic)
    causal, tokenizer = _open(directory, DTYPES[arithmetic.dtype])
    try:
        causal.to(device)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        raise ResourceError(
            f"{reference}: does not fit on {arithmetic.device} ({error}); use a smaller model"
        ) from error
    for parameter in causal.parameters():
        parameter.requires_grad_(False)
    causal.eval()
    fuse_norms(causal)
    template = tokenizer.chat_template
    if not isinstance(template, str):
        raise ModelError(
            f"{reference}: the tokenizer has no chat template; use an instruction-tuned model"
        )
    identity = ModelIdentity(
        name=reference if kind != "directory" else directory.name,
        kind=kind,
        sha256=directory_digest(directory),
        n_parameters=sum(parameter.numel() for parameter in causal.parameters()),
    )
    return LanguageModel(causal, tokenizer, template, identity, device, DTYPES[arithmetic.dtype])


def directory_digest(directory: Path) -> str:
    """Return one sha256 over the names and contents of a model's config, tokenizer and weights."""
    total = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        if path.suffix in (".json", ".safetensors", ".jinja", ".model"):
            total.update(f"{path.name}\0{file_digest(path)}\n".encode())
    return total.hexdigest()


def count_parameters(directory: Path) -> int:
    """Return the number of parameters in a model's safetensors, from their headers alone."""
    total = 0
    for path in sorted(directory.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            total += sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return total


def _open(directory: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            directory, trust_remote_code=False, local_files_only=True
        )
        causal = AutoModelForCausalLM.from_pretrained(
            directory,
            dtype=dtype,
            attn_implementation=ATTENTION,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{directory.name}: transformers cannot load this model "
            f"({type(error).__name__}: {str(error)[:300]}); check that its files are complete"
        ) from error
    return causal, tokenizer


def _converted(gguf: Path, cache: Path) -> Path:
    from offtarget.lm.gguf_header import check_gguf

    check_gguf(gguf)
    target = cache / f"gguf-{file_digest(gguf)[:16]}"
    if not (target / "complete").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        convert_gguf(gguf, target)
        (target / "complete").touch()
    return target


def _fetched(reference: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    name, _, revision = reference.partition("@")
    try:
        return Path(
            snapshot_download(name, revision=revision or None, allow_patterns=SAFE_PATTERNS)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ResourceError(
            f"{reference}: cannot fetch this model from the hub ({str(error).splitlines()[0][:200]}); "
            "check the name and the network, or give a local directory"
        ) from error
