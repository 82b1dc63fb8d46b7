"""Every kind of hostile model directory is refused before anything is loaded from it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from offtarget.core.errors import ModelError
from offtarget.lm.refuse import check_model_directory

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 32,
}
WEIGHTS = {"model.embed_tokens.weight": (32, 8), "model.layers.0.mlp.up_proj.weight": (16, 8)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small directory that is in order."""
    folder = tmp_path / "model"
    folder.mkdir()
    write(folder / "config.json", CONFIG)
    write(folder / "tokenizer_config.json", {"chat_template": "{{ messages }}"})
    write(folder / "tokenizer.json", {"model": {"type": "BPE", "vocab": {}, "merges": []}})
    save_file(
        {name: torch.zeros(shape) for name, shape in WEIGHTS.items()}, folder / "model.safetensors"
    )
    return folder


def write(file: Path, value: object) -> None:
    file.write_text(value if isinstance(value, str) else json.dumps(value))


def with_config(**changes: object) -> Callable[[Path], None]:
    return lambda folder: write(folder / "config.json", CONFIG | changes)


def test_a_whole_model_directory_is_accepted(model: Path) -> None:
    """Nothing to note about a plain safetensors model."""
    assert check_model_directory(model) == ()


def test_pickles_beside_safetensors_are_noted(model: Path) -> None:
    """They are never read, so they are tolerated and reported."""
    (model / "training_args.bin").write_bytes(b"\x80\x04")

    assert check_model_directory(model) == (
        "training_args.bin: not read; only the safetensors weights are used",
    )


def test_an_indexed_model_is_accepted(model: Path) -> None:
    """Weights in shards, joined by an index."""
    (model / "model.safetensors").rename(model / "model-00001-of-00001.safetensors")
    write(
        model / "model.safetensors.index.json",
        {"weight_map": dict.fromkeys(WEIGHTS, "model-00001-of-00001.safetensors")},
    )

    assert check_model_directory(model) == ()


def test_the_hub_cache_layout_is_accepted(tmp_path: Path, model: Path) -> None:
    """Snapshots of the hub's cache link to blobs two levels up."""
    snapshot = tmp_path / "models--a--b" / "snapshots" / ("c" * 40)
    blobs = tmp_path / "models--a--b" / "blobs"
    snapshot.parent.mkdir(parents=True)
    blobs.mkdir()
    model.rename(snapshot)
    (snapshot / "config.json").rename(blobs / ("d" * 40))
    (snapshot / "config.json").symlink_to(Path("../../blobs") / ("d" * 40))

    assert check_model_directory(snapshot) == ()


def index(value: object) -> Callable[[Path], None]:
    return lambda folder: write(folder / "model.safetensors.index.json", value)


def only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def big(name: str, size: int) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return make


def put(name: str, value: object) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        write(folder / name, value)

    return make


def link(name: str, target: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return make


AUTO = {"auto_map": {"AutoModel": "modeling_x.Model"}}
REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda d: (d / "config.json").unlink(), "no config.json"),
    "config not json": (put("config.json", "{"), r"config.json: not JSON"),
    "config twice": (put("config.json", '{"a": 1, "a": 2}'), r"config.json: duplicate key 'a'"),
    "config a list": (put("config.json", []), r"config.json: a list, not an object"),
    "config nan": (put("config.json", '{"a": NaN}'), r"config.json: NaN is not JSON"),
    "config deep": (put("config.json", "[" * 9999), "config.json: JSON nested deeper"),
    "config bytes": (lambda d: (d / "config.json").write_bytes(b"{\xff}"), "invalid UTF-8"),
    "config big": (big("config.json", 5_000_000), "config.json: 5000000 bytes, more than"),
    "no model type": (with_config(model_type=None), "model_type is None"),
    "no architectures": (with_config(architectures=[]), r"architectures is \[\]"),
    "hidden": (with_config(hidden_size=65_537), "hidden_size is 65537, allowed are 1 to 65536"),
    "layers": (with_config(num_hidden_layers=1_025), "num_hidden_layers is 1025"),
    "vocabulary": (with_config(vocab_size=2_000_001), "vocab_size is 2000001"),
    "negative": (with_config(vocab_size=-1), "vocab_size is -1"),
    "text size": (with_config(hidden_size="8"), "hidden_size is 8"),
    "true size": (with_config(hidden_size=True), "hidden_size is True"),
    "nested": (with_config(text_config={"hidden_size": 10**9}), "hidden_size is 1000000000"),
    "listed": (with_config(intermediate_size=[16, 10**9]), "intermediate_size is 1000000000"),
    "listed words": (with_config(vocab_size=[32], hidden_size=[9**9]), "hidden_size is 387420489"),
    "hollow": (with_config(hidden_size=4096), "describes at least .* weights, the files hold 384"),
    "auto_map": (with_config(**AUTO), "config.json: auto_map"),
    "nested auto_map": (with_config(a=[{"b": AUTO}]), "config.json: auto_map"),
    "tokenizer auto_map": (put("tokenizer_config.json", AUTO), "tokenizer_config.json: auto_map"),
    "generation auto_map": (put("generation_config.json", AUTO), "generation_config.json: auto"),
    "processor auto_map": (put("processor_config.json", AUTO), "processor_config.json: auto_map"),
    "trust": (with_config(trust_remote_code=True), "trust_remote_code = 'True'"),
    "pipelines": (with_config(custom_pipelines={"a": {}}), "custom_pipelines"),
    "hub kernel": (with_config(_attn_implementation="evil/attn"), "_attn_implementation = 'evil"),
    "quantizer": (with_config(quantization_config={"quant_method": "x"}), "asks for 'x'"),
    "no quantizer": (with_config(quantization_config={}), "asks for 'None'"),
    "odd quantizer": (with_config(quantization_config=[1]), r"asks for '\[1\]'"),
    "quantizer code": (
        with_config(quantization_config={"quant_method": "gptq"} | AUTO),
        "config.json: auto_map",
    ),
    "code": (put("modeling_x.py", "print()"), "modeling_x.py: the directory holds code"),
    "nested code": (put("custom_generate/generate.py", ""), "custom_generate/generate.py: the dir"),
    "library": (put("kernel.so", ""), "kernel.so: the directory holds code"),
    "adapter": (put("adapter_config.json", {}), "adapter_config.json: an adapter's config in a"),
    "link out": (link("vocab.json", "/etc/hostname"), "vocab.json: a link that leaves"),
    "link up": (link("up", ".."), "up: a link that leaves"),
    "link to nothing": (link("vocab.json", "missing"), "vocab.json: a link to nothing"),
    "link loop": (link("vocab.json", "vocab.json"), "vocab.json: a link to nothing"),
    "linked config": (link("config.json", "/etc/hostname"), "config.json: a link that leaves"),
    "pipe": (lambda d: os.mkfifo(d / "vocab.json"), "vocab.json: not a regular file"),
    "only pickles": (only_pickle, "only pytorch_model.bin, which can run code"),
    "no weights": (lambda d: (d / "model.safetensors").unlink(), r"no safetensors weights \(none"),
    "index out": (index({"weight_map": {"a": "../b.safetensors"}}), "points to '../b.safetens"),
    "index absolute": (index({"weight_map": {"a": "/etc/passwd"}}), "points to '/etc/passwd'"),
    "index missing": (index({"weight_map": {"a": "b.safetensors"}}), "'a' is not in 'b.safeten"),
    "index tensor": (index({"weight_map": {"a": "model.safetensors"}}), "'a' is not in 'model"),
    "index number": (index({"weight_map": {"a": 3}}), "points to '3'"),
    "index empty": (index({}), "weight_map is missing or empty"),
    "tokenizer broken": (put("tokenizer.json", "{"), "tokenizer.json: not a JSON object"),
    "tokenizer list": (put("tokenizer.json", "[]"), "tokenizer.json: not a JSON object"),
    "tokenizer deep": (put("tokenizer.json", '{"a":' + "[" * 99_999), "tokenizer.json: not a JSON"),
    "tokenizer empty": (put("tokenizer.json", "{}"), "tokenizer.json: no `model` entry"),
    "tokenizer big": (big("tokenizer.json", 2**26 + 1), "tokenizer.json: more than 67108864"),
    "vocabulary big": (big("tokenizer.model", 2**26 + 1), "tokenizer.model: more than 67108864"),
    "template": (
        put("tokenizer_config.json", {"chat_template": "x" * 65_537}),
        "tokenizer_config.json: chat template of 65537 characters",
    ),
    "named template": (
        put("tokenizer_config.json", {"chat_template": [{"name": "a", "template": "x" * 65_537}]}),
        "tokenizer_config.json: chat template of 65537 characters",
    ),
    "template number": (put("tokenizer_config.json", {"chat_template": 3}), "is not text"),
    "template file": (put("chat_template.jinja", "x" * 65_537), "chat_template.jinja: chat templ"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_hostile_directories_are_refused(name: str, model: Path) -> None:
    """The message names the file, the field and the value."""
    spoil, pattern = REFUSALS[name]
    spoil(model)

    with pytest.raises(ModelError, match=pattern):
        check_model_directory(model)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    """A path that is no directory is not guessed at."""
    with pytest.raises(ModelError, match="nothing: not a directory"):
        check_model_directory(tmp_path / "nothing")


def test_too_many_files_are_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory bomb ends at the limit."""
    monkeypatch.setattr("offtarget.lm.model_files.MAX_FILES", 3)

    with pytest.raises(ModelError, match="more than 3 files"):
        check_model_directory(model)


def entry(shape: list[Any], begin: Any, end: Any, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


LIES: dict[str, tuple[object, int, str]] = {
    "overlap": ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, 12, "begins at byte 4, so it ov"),
    "hole": ({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, 12, "begins at byte 8, so it leave"),
    "tail": ({"a": entry([1], 0, 4)}, 12, "8 bytes after the last tensor belong to none"),
    "beyond": ({"a": entry([2], 0, 8)}, 4, "ends at byte 8 of 4"),
    "product": ({"a": entry([3], 0, 8)}, 8, "needs 12 bytes, but its range holds 8"),
    "huge": ({"a": entry([2**50, 0], 0, 0)}, 0, "over 1099511627776 elements"),
    "wrapping": ({"a": entry([2**32, 2**32], 0, 0)}, 0, "over 1099511627776 elements"),
    "dtype": ({"a": entry([1], 0, 4, "F99")}, 4, "unknown dtype 'F99'"),
    "negative": ({"a": entry([-1], 0, 4)}, 4, r"has the shape \[-1\]"),
    "text shape": ({"a": entry(["1"], 0, 4)}, 4, r"has the shape \['1'\]"),
    "many dims": ({"a": entry([1] * 9, 0, 4)}, 4, "has the shape"),
    "backwards": ({"a": entry([1], 4, 0)}, 4, r"data_offsets \[4, 0\]"),
    "float offset": ({"a": entry([1], 0.0, 4)}, 4, r"data_offsets \[0.0, 4\]"),
    "extra": ({"a": entry([1], 0, 4) | {"x": 1}}, 4, "must have exactly"),
    "not an entry": ({"a": 3}, 4, "must have exactly"),
    "metadata": ({"__metadata__": {"a": 1}}, 0, "__metadata__ is not a map of strings"),
    "list": ([], 0, "header is a list"),
    "duplicate": ('{"a": {}, "a": {}}', 0, "duplicate key 'a'"),
    "nan": ('{"a": NaN}', 0, "NaN is not JSON"),
    "deep": ("[" * 9999, 0, "nested deeper"),
}


@pytest.mark.parametrize("name", LIES)
def test_lying_safetensors_headers_are_refused(name: str, model: Path) -> None:
    """Our own reader finds the lie before a library maps the file."""
    header, n_data, pattern = LIES[name]
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    file = model / "model.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(n_data))

    with pytest.raises(ModelError, match=f"model.safetensors: .*{pattern}"):
        check_model_directory(model)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff" * 8, b"\xff" * 64, (101 * 2**20).to_bytes(8, "little") + bytes(64)],
    ids=["empty", "short", "length over file", "length over limit"],
)
def test_lying_safetensors_lengths_are_refused(raw: bytes, model: Path) -> None:
    """The header length is compared with the file and the limit before anything is read."""
    (model / "model.safetensors").write_bytes(raw)

    with pytest.raises(ModelError, match=r"model\.safetensors: header length"):
        check_model_directory(model)


def test_a_long_sparse_header_is_refused(model: Path) -> None:
    """A file as long as its claim does not make a 33 MiB header acceptable."""
    with (model / "model.safetensors").open("wb") as file:
        file.write((33 * 2**20).to_bytes(8, "little"))
        file.truncate(64 * 2**20)

    with pytest.raises(ModelError, match="header length 34603008"):
        check_model_directory(model)


def test_binary_safetensors_headers_are_refused(model: Path) -> None:
    """A header that is not text is not decoded loosely."""
    (model / "model.safetensors").write_bytes((4).to_bytes(8, "little") + b"\xff\xfe\xfd\xfc")

    with pytest.raises(ModelError, match="header is not strict JSON"):
        check_model_directory(model)


def test_a_linked_safetensors_pipe_is_not_read(model: Path) -> None:
    """Reading a pipe would wait for ever."""
    (model / "model.safetensors").unlink()
    os.mkfifo(model / "model.safetensors")

    with pytest.raises(ModelError, match="not a regular file"):
        check_model_directory(model)
