"""Put a fine-tune that exists already onto its base."""

from dataclasses import replace
from pathlib import Path

from peft import PeftModel

from offtarget.core.codec import file_digest
from offtarget.core.errors import ModelError
from offtarget.lm.adapter_files import (
    check_adapter_base,
    check_adapter_directory,
    refuse_deployment,
)
from offtarget.lm.forward import fuse_lora
from offtarget.lm.model import LanguageModel


def apply_adapter(
    lm: LanguageModel, directory: Path, *, is_assay: bool = False, force: bool = False
) -> LanguageModel:
    """Return `lm` with the PEFT adapter in `directory` on it; `lm` itself is changed.

    Args:
        lm: The base the adapter was trained on.
        directory: Folder with adapter_config.json and adapter_model.safetensors.
        is_assay: Whether the model is only going to be measured.
        force: Load adapters tagged do-not-deploy for other uses too.

    Raises:
        ModelError: If the files are refused, belong to another base, or are tagged do-not-deploy
            and neither `is_assay` nor `force` is set.
    """
    files = check_adapter_directory(directory)
    refuse_deployment(files, is_assay=is_assay, force=force)
    shapes = {name: tuple(p.shape) for name, p in lm.causal.named_parameters()}
    check_adapter_base(
        files, base_name=lm.identity.name, base_sha256=lm.identity.sha256, shapes=shapes
    )
    try:
        adapted = PeftModel.from_pretrained(lm.causal, str(directory), is_trainable=False)
    except (ValueError, KeyError, RuntimeError, OSError) as error:
        raise ModelError(
            f"{directory.name}: PEFT cannot load this adapter ({str(error)[:200]}); "
            "check that it was saved for this base"
        ) from error
    fuse_lora(adapted)
    identity = replace(
        lm.identity,
        kind=lm.identity.kind + "+adapter",
        sha256=file_digest(files.weights),
    )
    return replace(lm, causal=adapted.base_model.model, identity=identity)
