"""A bounded reader for the headers of safetensors files, run before any library opens them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from offtarget.core.codec import parse
from offtarget.core.errors import DataError, ModelError

MAX_HEADER_BYTES = 32 * 1024 * 1024
"""The format allows 100 MB; 32 MiB hold about 300,000 tensors, more than any shard in use."""
MAX_ELEMENTS = 2**40
MAX_DIMS = 8
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
}  # fmt: skip
"""Bits per element of each dtype of the format."""


@dataclass(frozen=True, slots=True)
class _Range:
    name: str
    begin: int
    end: int


def safetensors_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in the file at `path`, having checked the whole header.

    The tensors must tile the data without overlap or hole, so no byte hides in the file.

    Raises:
        ModelError: If the header lies about anything; names the file, the tensor and the value.
    """
    if not path.is_file():
        _refuse(path, "the weights are not a regular file")
    size = path.stat().st_size
    with path.open("rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        if size < 10 or n_header > min(size - 8, MAX_HEADER_BYTES):
            _refuse(
                path,
                f"header length {n_header}, but the file has {size} bytes and "
                f"{MAX_HEADER_BYTES} is the most",
            )
        raw = file.read(n_header)
    header = _parse(path, raw)
    ranges = []
    shapes = {}
    for name, entry in header.items():
        if name == "__metadata__":
            _check_metadata(path, entry)
            continue
        ranges.append(_check_tensor(path, name, entry))
        shapes[name] = tuple(entry["shape"])
    _check_tiling(path, ranges, n_data=size - 8 - n_header)
    return shapes


def _parse(path: Path, raw: bytes) -> Mapping[str, Any]:
    try:
        header = parse(raw.decode("utf-8"), place=f"{path.name}: header")
    except (UnicodeDecodeError, DataError) as error:
        _refuse(path, f"header is not strict JSON ({error})")
    if not isinstance(header, dict):
        _refuse(path, f"header is a {type(header).__name__}, not an object")
    return header


def _check_metadata(path: Path, metadata: Any) -> None:
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        _refuse(path, "__metadata__ is not a map of strings")


def _check_tensor(path: Path, name: str, entry: Any) -> _Range:
    label = repr(name[:120])
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"tensor {label} must have exactly dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        _refuse(path, f"tensor {label} has the unknown dtype {str(dtype)[:40]!r}")
    if not _is_counts(shape) or len(shape) > MAX_DIMS:
        _refuse(path, f"tensor {label} has the shape {str(shape)[:80]}")
    if not _is_counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _refuse(path, f"tensor {label} has the data_offsets {str(offsets)[:80]}")
    n_elements = 1
    for length in shape:
        n_elements *= length
        if length > MAX_ELEMENTS or n_elements > MAX_ELEMENTS:
            _refuse(path, f"tensor {label} has the shape {shape}, over {MAX_ELEMENTS} elements")
    n_bits, n_bytes = n_elements * BITS[dtype], offsets[1] - offsets[0]
    if n_bits != 8 * n_bytes:
        _refuse(
            path,
            f"tensor {label} of shape {shape} and dtype {dtype} needs {n_bits / 8:g} bytes, "
            f"but its range holds {n_bytes}",
        )
    return _Range(name=label, begin=offsets[0], end=offsets[1])


def _is_counts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in value
    )


def _check_tiling(path: Path, ranges: list[_Range], *, n_data: int) -> None:
    at = 0
    for each in sorted(ranges, key=lambda one: (one.begin, one.end)):
        if each.end > n_data:
            _refuse(path, f"tensor {each.name} ends at byte {each.end} of {n_data}")
        if each.begin != at:
            what = "overlaps the one before it" if each.begin < at else "leaves a hole before it"
            _refuse(path, f"tensor {each.name} begins at byte {each.begin}, so it {what}")
        at = each.end
    if at != n_data:
        _refuse(path, f"{n_data - at} bytes after the last tensor belong to none")


def _refuse(path: Path, what: str) -> NoReturn:
    raise ModelError(f"{path.name}: {what}; fetch the file again or use another model")
