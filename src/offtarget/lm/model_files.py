"""Lists and reads the files of a model or adapter directory without trusting any of them."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from offtarget.core.codec import parse
from offtarget.core.errors import DataError, ModelError

MAX_CONFIG_BYTES = 4 * 1024 * 1024
MAX_TOKENIZER_BYTES = 64 * 1024 * 1024
MAX_FILES = 10_000
CODE = frozenset({".dll", ".dylib", ".py", ".pyc", ".pyd", ".so"})
"""Files that a loader could import."""
KERNEL_KEYS = ("attn_implementation", "attn_implementation_internal", "experts_implementation")
"""Ends of config keys whose value may name a kernel to download from a hub."""

_BLOB = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def list_files(directory: Path) -> dict[str, Path]:
    """Return the regular files below `directory` by their relative name.

    Links must stay inside, except into the `blobs` of the hub's own cache layout.

    Raises:
        ModelError: For a missing directory, code, links that leave it, devices and pipes, or more
            than `MAX_FILES` entries.
    """
    if not directory.is_dir():
        raise ModelError(f"{directory.name}: not a directory; give the directory of a model")
    files: dict[str, Path] = {}
    for file in _walk(directory):
        name = file.relative_to(directory).as_posix()
        if file.is_symlink():
            _check_link(file, directory=directory, name=name)
        if file.suffix.lower() in CODE:
            raise ModelError(
                f"{name}: the directory holds code; remove it, or use a model that needs none"
            )
        if not file.is_dir():
            if not stat.S_ISREG(file.stat().st_mode):
                raise ModelError(f"{name}: not a regular file; remove it")
            if not os.access(file, os.R_OK):
                raise ModelError(f"{name}: not readable; change its permissions")
            files[name] = file
    return files


def read_json(file: Path, *, max_bytes: int = MAX_CONFIG_BYTES) -> dict[str, Any]:
    """Return the JSON object in `file`, strictly parsed.

    Raises:
        ModelError: If it is longer than `max_bytes`, not strict JSON or not an object.
    """
    size = file.stat().st_size
    if size > max_bytes:
        raise ModelError(
            f"{file.name}: {size} bytes, more than {max_bytes}; use a model with a plain config"
        )
    try:
        value = parse(file.read_bytes().decode("utf-8"), place=file.name)
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{file.name}: invalid UTF-8 at byte {error.start}; save it as UTF-8"
        ) from error
    except DataError as error:
        raise ModelError(str(error)) from error
    if not isinstance(value, dict):
        raise ModelError(f"{file.name}: a {type(value).__name__}, not an object; fix the file")
    return value


def refuse_code(value: Any, *, place: str) -> None:
    """Raise ModelError if a config, at any depth, asks a loader to import or fetch code."""
    for key, entry in _entries(value):
        is_kernel = (
            key.endswith(KERNEL_KEYS)
            and entry is not None
            and any(mark in str(entry) for mark in "/:{")
        )
        is_trust = key == "trust_remote_code" and bool(entry)
        if (key in ("auto_map", "custom_pipelines") and entry) or is_kernel or is_trust:
            raise ModelError(
                f"{place}: {key} = {str(entry)[:80]!r} asks for code outside transformers; "
                "use a model that needs none"
            )


def check_tokenizer(file: Path) -> None:
    """Raise ModelError unless `file` is a tokenizer.json of bounded size and valid JSON."""
    size = file.stat().st_size
    if size > MAX_TOKENIZER_BYTES:
        raise ModelError(
            f"{file.name}: {size} bytes, more than {MAX_TOKENIZER_BYTES}; use another model"
        )
    try:
        parts = msgspec.json.decode(file.read_bytes(), type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(
            f"{file.name}: not a JSON object ({error}); fetch the file again"
        ) from error
    if "model" not in parts:
        raise ModelError(f"{file.name}: no `model` entry; fetch the file again")


def _walk(directory: Path) -> Iterator[Path]:
    """Yield every entry below `directory`, links included but not followed."""
    n_entries = 0
    for folder, folders, names in os.walk(directory, followlinks=False):
        for name in sorted([*folders, *names]):
            n_entries += 1
            if n_entries > MAX_FILES:
                raise ModelError(
                    f"{directory.name}: more than {MAX_FILES} files; "
                    "give the directory of one model"
                )
            yield Path(folder, name)


def _check_link(file: Path, *, directory: Path, name: str) -> None:
    inside = directory.resolve()
    try:
        target = file.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{name}: a link to nothing; fetch the file again") from error
    is_hub_cache = (
        inside.parent.name == "snapshots"
        and target.parent == inside.parent.parent / "blobs"
        and _BLOB.fullmatch(target.name) is not None
    )
    if not target.is_relative_to(inside) and not is_hub_cache:
        raise ModelError(f"{name}: a link that leaves the directory; copy the file instead")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key with its value at any depth; `codec.parse` has bounded the depth."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key, entry
            yield from _entries(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _entries(entry)
