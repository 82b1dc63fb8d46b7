"""Refuses model directories that could run code, exhaust memory or lie, before they are loaded."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from offtarget.core.errors import ModelError
from offtarget.lm.model_files import check_tokenizer, list_files, read_json, refuse_code
from offtarget.lm.safetensors_header import safetensors_shapes
from offtarget.lm.template import MAX_TEMPLATE_CHARS

PICKLES = frozenset(
    {
        ".bin", ".ckpt", ".dill", ".h5", ".joblib", ".msgpack", ".nemo", ".npy", ".npz", ".pickle",
        ".pkl", ".pt", ".pt2", ".pth",
    }
)  # fmt: skip
"""Weight formats that run code when read, or that we never read."""
CONFIG_FILES = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer_config.json",
    "video_preprocessor_config.json",
)
ADAPTER_CONFIG = "adapter_config.json"
INDEX = "model.safetensors.index.json"
MAX_INDEX_BYTES = 64 * 1024 * 1024
LIMITS = {
    "hidden_size": 65_536, "n_embd": 65_536, "d_model": 65_536,
    "num_hidden_layers": 1_024, "n_layer": 1_024, "num_layers": 1_024,
    "vocab_size": 2_000_000,
    "intermediate_size": 1_048_576, "moe_intermediate_size": 1_048_576, "n_inner": 1_048_576,
    "num_attention_heads": 4_096, "num_key_value_heads": 4_096, "n_head": 4_096,
    "head_dim": 65_536,
    "num_experts": 16_384, "num_local_experts": 16_384, "n_routed_experts": 16_384,
    "max_position_embeddings": 2**27, "n_positions": 131_072, "n_ctx": 131_072,
}  # fmt: skip
"""Largest value of each size in a config; a few times what the largest public models have."""
QUANTIZERS = frozenset(
    {"awq", "bitsandbytes", "compressed-tensors", "fbgemm_fp8", "fp8", "gptq", "mxfp4"}
)
"""Quantization methods of transformers that load no code of the model's own."""


def check_model_directory(path: Path) -> tuple[str, ...]:
    """Check everything in the model directory at `path` without loading it; return notes.

    The notes name what was tolerated because it is never read, such as pickled weights next to
    safetensors.

    Raises:
        ModelError: If the directory holds code, asks for code, reaches outside itself, or if a
            config, tokenizer, chat template or weight file is broken, oversized or lies.
    """
    files = list_files(path)
    for name, file in files.items():
        if file.suffix in (".json", ".model", ".txt") and file.stat().st_size > MAX_INDEX_BYTES:
            raise ModelError(f"{name}: more than {MAX_INDEX_BYTES} bytes; use another model")
    if ADAPTER_CONFIG in files:
        raise ModelError(
            f"{ADAPTER_CONFIG}: an adapter's config in a model directory makes loaders fetch "
            "another base; load it as an adapter"
        )
    config = _check_config(path, files)
    for name in CONFIG_FILES:
        if name in files:
            refuse_code(read_json(files[name]), place=name)
    _check_templates(files)
    if "tokenizer.json" in files:
        check_tokenizer(files["tokenizer.json"])
    pickles = sorted(name for name in files if Path(name).suffix.lower() in PICKLES)
    n_elements = _check_weights(path, files, pickles)
    if "quantization_config" not in config:
        _check_proportion(config, n_elements=n_elements)
    return tuple(f"{name}: not read; only the safetensors weights are used" for name in pickles)


def _check_config(path: Path, files: Mapping[str, Path]) -> Mapping[str, Any]:
    if "config.json" not in files:
        raise ModelError(f"{path.name}: no config.json; give the directory of a whole model")
    config = read_json(files["config.json"])
    if not isinstance(config.get("model_type"), str) or not config["model_type"]:
        raise ModelError(
            f"config.json: model_type is {config.get('model_type')!r}; name the architecture"
        )
    names = config.get("architectures")
    if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
        raise ModelError(
            f"config.json: architectures is {str(names)[:80]}; it must be a list of class names"
        )
    for key, value in _sizes(config):
        is_count = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_count and 0 < value <= LIMITS[key]):
            raise ModelError(
                f"config.json: {key} is {str(value)[:40]}, allowed are 1 to {LIMITS[key]}; "
                "use a model of a plausible size"
            )
    _check_quantization(config.get("quantization_config"))
    return config


def _sizes(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each limited entry of a config and of the configs nested in it."""
    for key, value in config.items():
        if key in LIMITS:
            if isinstance(value, list):  # some architectures size each layer on its own
                yield from ((key, each) for each in value)
            else:
                yield key, value
        if isinstance(value, dict):
            yield from _sizes(value)


def _check_quantization(quantization: Any) -> None:
    if quantization is None:
        return
    method = quantization.get("quant_method") if isinstance(quantization, dict) else quantization
    if not isinstance(method, str) or method not in QUANTIZERS:
        raise ModelError(
            f"config.json: quantization_config asks for {str(method)[:40]!r}; "
            f"known methods are {', '.join(sorted(QUANTIZERS))}; use an unquantized copy"
        )


def _check_templates(files: Mapping[str, Path]) -> None:
    """Refuse chat templates over the limit; what they do is the sandbox's business."""
    for name, file in files.items():
        if name.endswith(".jinja"):
            _check_template_size(name, file.stat().st_size)
    for name in ("tokenizer_config.json", "chat_template.json"):
        if name not in files:
            continue
        template = read_json(files[name]).get("chat_template")
        many = template if isinstance(template, list) else [template]
        for each in many:
            text = each.get("template") if isinstance(each, dict) else each
            if text is not None and not isinstance(text, str):
                raise ModelError(f"{name}: chat_template is not text; write one Jinja template")
            _check_template_size(name, len(text or ""))


def _check_template_size(name: str, size: int) -> None:
    if size > MAX_TEMPLATE_CHARS:
        raise ModelError(
            f"{name}: chat template of {size} characters, more than {MAX_TEMPLATE_CHARS}; "
            "use a model with a plain template"
        )


def _check_weights(path: Path, files: Mapping[str, Path], pickles: list[str]) -> int:
    """Check every safetensors file and the index; return the number of weights that load."""
    shapes = {
        name: safetensors_shapes(file)
        for name, file in files.items()
        if Path(name).suffix.lower() == ".safetensors"
    }
    if INDEX in files:
        used = _check_index(files[INDEX], shapes)
    else:
        used = {"model.safetensors"} & set(shapes)
    if not used:
        found = f"only {pickles[0]}, which can run code" if pickles else "none"
        raise ModelError(
            f"{path.name}: no safetensors weights ({found}); "
            "convert the model with save_pretrained or use a safetensors copy"
        )
    return sum(math.prod(shape) for name in used for shape in shapes[name].values())


def _check_index(file: Path, shapes: Mapping[str, Mapping[str, tuple[int, ...]]]) -> set[str]:
    weight_map = read_json(file, max_bytes=MAX_INDEX_BYTES).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(f"{INDEX}: weight_map is missing or empty; fetch the model again")
    for tensor, name in weight_map.items():
        if not isinstance(name, str) or "/" in name or "\\" in name or name.startswith("."):
            raise ModelError(
                f"{INDEX}: {tensor[:80]!r} points to {str(name)[:80]!r}, outside the directory; "
                "do not use this model"
            )
        if name not in shapes or tensor not in shapes[name]:
            raise ModelError(
                f"{INDEX}: {tensor[:80]!r} is not in {name[:80]!r}; fetch the missing file"
            )
    return set(weight_map.values())


def _check_proportion(config: Mapping[str, Any], *, n_elements: int) -> None:
    """Refuse a config that describes far more weights than the files hold.

    Loaders fill what is missing with fresh memory. Embedding, attention and one MLP matrix are a
    lower bound of a decoder's size; the factor 4 leaves room for unusual blocks.
    """
    for block in (config, *(one for one in config.values() if isinstance(one, dict))):
        hidden = block.get("hidden_size") or 0
        layers = block.get("num_hidden_layers") or 0
        wide = block.get("intermediate_size") or 0
        words = block.get("vocab_size") or 0
        if not all(isinstance(each, int) for each in (hidden, layers, wide, words)):
            continue
        n_described = hidden * (words + layers * (hidden + wide))
        if n_described > 4 * n_elements:
            raise ModelError(
                f"config.json: describes at least {n_described} weights, the files hold "
                f"{n_elements}; fetch the model again or use another one"
            )
