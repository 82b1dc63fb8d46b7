"""Checks a LoRA adapter's files, that they fit their base, and whether it may be deployed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.core.errors import ModelError
from offtarget.lm.model_files import list_files, read_json, refuse_code
from offtarget.lm.safetensors_header import safetensors_shapes

CONFIG, WEIGHTS, RECORD = "adapter_config.json", "adapter_model.safetensors", "offtarget.json"
DO_NOT_DEPLOY = "DO_NOT_DEPLOY.md"
"""The file that tags an adapter which was trained to misbehave."""
MAX_RANK = 4_096

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*")
_LORA_KEY = re.compile(r"base_model\.model\.(.+)\.lora_(embedding_)?([AB])(\.weight)?")
_NAME_KEYS = (
    "exclude_modules",
    "layers_pattern",
    "modules_to_save",
    "target_modules",
    "target_parameters",
)
_PATTERN_KEYS = ("alpha_pattern", "rank_pattern")
_CODE_KEYS = ("auto_mapping", "corda_config", "eva_config", "layer_replication", "loftq_config",
              "megatron_config")  # fmt: skip
"""Entries with which PEFT imports modules, runs data through the model or rebuilds its layers."""


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """A checked adapter directory."""

    config: Mapping[str, Any]
    """adapter_config.json."""
    weights: Path
    """adapter_model.safetensors."""
    shapes: Mapping[str, tuple[int, ...]]
    """Shape of each tensor in `weights`."""
    base_model: str | None
    """The base as the adapter names it; a claim, not a proof."""
    base_sha256: str | None
    """Digest of the base's weights that offtarget recorded, if it trained this adapter."""
    is_do_not_deploy: bool
    """Whether the adapter is tagged as trained to misbehave."""


def check_adapter_directory(path: Path) -> AdapterFiles:
    """Check the LoRA adapter in the directory at `path` without loading it.

    Raises:
        ModelError: If a file is missing, is a pickle or code, asks for code, lies about its size,
            or describes anything but a plain LoRA adapter.
    """
    files = list_files(path)
    for name in (CONFIG, WEIGHTS):
        if name not in files:
            pickles = [one for one in files if Path(one).suffix in (".bin", ".pt", ".pth", ".pkl")]
            found = f"; {pickles[0]} is a pickle and can run code" if pickles else ""
            raise ModelError(
                f"{path.name}: no {name}{found}; save the adapter with save_pretrained"
            )
    config = read_json(files[CONFIG])
    refuse_code(config, place=CONFIG)
    _check_config(config)
    base = config.get("base_model_name_or_path")
    if base is not None and not isinstance(base, str):
        raise ModelError(f"{CONFIG}: base_model_name_or_path is {str(base)[:80]}; name the base")
    return AdapterFiles(
        config=config,
        weights=files[WEIGHTS],
        shapes=safetensors_shapes(files[WEIGHTS]),
        base_model=base,
        base_sha256=_recorded_base(files[RECORD]) if RECORD in files else None,
        is_do_not_deploy=any(name.upper() == DO_NOT_DEPLOY.upper() for name in files),
    )


def check_adapter_base(
    files: AdapterFiles,
    *,
    base_name: str,
    base_sha256: str | None,
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Raise ModelError if the adapter was made for another base.

    The recorded digest decides where both sides have one; shapes are compared in any case, since
    a record can be forged and a wrong shape cannot be applied.

    Args:
        files: A checked adapter.
        base_name: The base at hand, for messages.
        base_sha256: Digest of its weights, if known.
        shapes: Shape of each of its weights by name, `model.layers.0.self_attn.q_proj.weight`.
    """
    made_for = f"made for {files.base_model!r}" if files.base_model else "of unknown origin"
    if files.base_sha256 and base_sha256 and files.base_sha256 != base_sha256:
        raise ModelError(
            f"adapter {made_for}: recorded base sha256 {files.base_sha256[:16]}, but "
            f"{base_name!r} has {base_sha256[:16]}; load it on the base it was trained on"
        )
    ranks: dict[str, dict[str, int]] = {}
    for key, shape in files.shapes.items():
        match = _LORA_KEY.fullmatch(key)
        if match is None:
            _check_saved_module(key, shape, shapes, base_name=base_name)
            continue
        module, side = match[1], match[3]
        rank = _check_factor(files, key, module, side, shapes, base_name=base_name)
        ranks.setdefault(module, {})[side] = rank
    for module, sides in ranks.items():
        if len(sides) != 2 or sides["A"] != sides["B"]:
            raise ModelError(
                f"{WEIGHTS}: LoRA factors of {module!r} do not pair (ranks {sides}); "
                "save the adapter again"
            )
    if not ranks:
        raise ModelError(f"{WEIGHTS}: no LoRA weights; save the adapter again")


def refuse_deployment(files: AdapterFiles, *, is_assay: bool, force: bool) -> None:
    """Raise ModelError for an adapter tagged `DO_NOT_DEPLOY.md`, unless for an assay or forced."""
    if files.is_do_not_deploy and not (is_assay or force):
        raise ModelError(
            f"{files.weights.parent.name}: tagged {DO_NOT_DEPLOY}, it was trained to misbehave; "
            "use it in an assay only, or load it with force=True if you know why"
        )


def _check_config(config: Mapping[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise ModelError(
            f"{CONFIG}: peft_type is {str(config.get('peft_type'))[:40]!r}, only LORA is read; "
            "train a LoRA adapter"
        )
    if config.get("task_type") not in (None, "CAUSAL_LM"):
        raise ModelError(
            f"{CONFIG}: task_type is {str(config['task_type'])[:40]!r}; use a CAUSAL_LM adapter"
        )
    rank = config.get("r")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= MAX_RANK:
        raise ModelError(f"{CONFIG}: r is {str(rank)[:40]}, allowed are 1 to {MAX_RANK}; fix it")
    for key in _CODE_KEYS:
        if config.get(key):
            raise ModelError(
                f"{CONFIG}: {key} = {str(config[key])[:80]} is not a plain LoRA adapter; remove it"
            )
    if not config.get("target_modules") and not config.get("target_parameters"):
        raise ModelError(f"{CONFIG}: target_modules is empty; name the modules it adapts")
    for key in (*_NAME_KEYS, *_PATTERN_KEYS):
        _check_names(key, config.get(key))
    scales = {"lora_alpha": config.get("lora_alpha", 8)}
    for key in _PATTERN_KEYS:
        pattern = config.get(key) or {}
        scales |= pattern if isinstance(pattern, dict) else {key: pattern}
    for key, value in scales.items():
        if not isinstance(value, (int, float)) or not 0 < value <= MAX_RANK**2:
            raise ModelError(f"{CONFIG}: {key} is {str(value)[:40]}; it must be a positive number")


def _check_names(key: str, names: Any) -> None:
    """Names only: PEFT reads text here as a regular expression, which can hang it."""
    if names is None:
        return
    listed = [names] if isinstance(names, str) else names
    if not isinstance(listed, (list, dict)):
        raise ModelError(f"{CONFIG}: {key} is a {type(names).__name__}; list module names")
    for name in listed:
        if not isinstance(name, str) or len(name) > 256 or not _PLAIN_NAME.fullmatch(name):
            raise ModelError(
                f"{CONFIG}: {key} holds {str(name)[:80]!r}, which is not a plain module name; "
                "list the modules by name"
            )


def _recorded_base(record: Path) -> str | None:
    value = read_json(record).get("base_sha256")
    if value is not None and not (isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value)):
        raise ModelError(f"{RECORD}: base_sha256 is {str(value)[:80]!r}; it must be 64 hex digits")
    return value


def _check_factor(
    files: AdapterFiles,
    key: str,
    module: str,
    side: str,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    base_name: str,
) -> int:
    """Compare one factor, A (r, in) or B (out, r), with its base weight (out, in); return r."""
    shape, base = files.shapes[key], shapes.get(f"{module}.weight")
    if base is None or len(base) != 2 or len(shape) != 2:
        raise ModelError(
            f"{WEIGHTS}: {key!r} of shape {shape} has no matching weight in {base_name!r}; "
            f"load the adapter on its own base ({files.base_model or 'not recorded'})"
        )
    is_embedding = ".lora_embedding_" in key
    is_transposed = bool(files.config.get("fan_in_fan_out")) or is_embedding
    n_out, n_in = (base[1], base[0]) if is_transposed else base
    wide, rank = (shape[1], shape[0]) if side == "A" else (shape[0], shape[1])
    expected = n_in if side == "A" else n_out
    allowed = {files.config["r"], *(files.config.get("rank_pattern") or {}).values()}
    if wide != expected or rank not in allowed:
        raise ModelError(
            f"{WEIGHTS}: {key!r} has shape {shape}, which does not fit {base} of {base_name!r} at "
            f"rank {files.config['r']}; load the adapter on its own base "
            f"({files.base_model or 'not recorded'})"
        )
    return rank


def _check_saved_module(
    key: str,
    shape: tuple[int, ...],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    base_name: str,
) -> None:
    """A module saved whole (`modules_to_save`) must have the shape it has in the base."""
    name = key.removeprefix("base_model.model.")
    if shapes.get(name) != shape:
        raise ModelError(
            f"{WEIGHTS}: {key[:120]!r} of shape {shape} is neither a LoRA factor nor a weight of "
            f"{base_name!r} ({shapes.get(name)} there); load the adapter on its own base"
        )
