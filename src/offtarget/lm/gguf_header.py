"""A bounded reader for the headers of GGUF files, run before any library opens them.

Source: the GGUF specification, version 3 (ggml, docs/gguf.md). No number read from the file sizes
an allocation or a loop before it has been compared with a limit and with the bytes that are left.
"""

import mmap
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from offtarget.core.errors import ModelError
from offtarget.lm.template import MAX_TEMPLATE_CHARS

MAX_TENSORS = 65_536
MAX_KEYS = 65_536
MAX_KEY_BYTES = 65_535
MAX_STRING_BYTES = 16 * 1024 * 1024
MAX_ARRAY = 2_000_000
MAX_ALL_ELEMENTS = 8_000_000
"""Elements of all arrays together, so that many full arrays cannot add up."""
MAX_ARRAY_DEPTH = 4
MAX_HEADER_BYTES = 256 * 1024 * 1024
MAX_ALIGNMENT = 65_536
MAX_NAME_BYTES = 256
MAX_DIMS = 4
MAX_ELEMENTS = 2**40
SIZE_LIMITS = {
    "block_count": 1_024, "embedding_length": 65_536, "feed_forward_length": 1_048_576,
    "attention.head_count": 4_096, "attention.head_count_kv": 4_096, "vocab_size": 2_000_000,
    "context_length": 2**27, "expert_count": 16_384,
}  # fmt: skip
"""Largest value of `ARCHITECTURE.key`, as for the config of a model directory."""

_UINT32, _BOOL, _STRING, _ARRAY = 4, 7, 8, 9
_FORMATS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_MIN_BYTES = {kind: struct.calcsize("<" + code) for kind, code in _FORMATS.items()} | {
    _STRING: 8,
    _ARRAY: 12,
}
_QUANT_SIZES = {int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()}


@dataclass(frozen=True, slots=True)
class GgufSummary:
    """What a checked GGUF header says."""

    architecture: str
    n_tensors: int
    n_kv: int
    version: int
    size_bytes: int


def check_gguf(path: Path) -> GgufSummary:
    """Return a summary of the GGUF file at `path`, having checked its whole header.

    Raises:
        ModelError: If the file is not GGUF version 2 or 3, is truncated, or lies about anything;
            names the file, the field and the value.
    """
    if not path.is_file():
        raise ModelError(f"{path.name}: not a regular file; give a GGUF file")
    if path.stat().st_size < 24:
        raise ModelError(f"{path.name}: too short for a GGUF header; fetch the file again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _Reader(path.name, data).check()


@dataclass(slots=True)
class _Tensor:
    name: str
    begin: int
    n_bytes: int


@dataclass(slots=True)
class _Reader:
    """A position in the header; every read is checked against the end first."""

    name: str
    data: mmap.mmap
    at: int = 0
    n_elements: int = 0
    values: dict[str, int | float | str] = field(default_factory=dict)
    """Scalar and string values by key."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Value type by key."""

    def check(self) -> GgufSummary:
        if self.take(4, "magic") != b"GGUF":
            self.refuse("magic", self.data[:4], "not a GGUF file")
        version = int(self.number("I", "version"))
        if version not in (2, 3):
            self.refuse("version", version, "only little-endian versions 2 and 3 are read")
        n_tensors = self.count("tensor count", MAX_TENSORS, min_bytes=24)
        n_kv = self.count("key count", MAX_KEYS, min_bytes=13)
        if n_tensors == 0:
            self.refuse("tensor count", 0, "the file holds no weights")
        for index in range(n_kv):
            self.key_value(index)
        self.check_values()
        self.check_tensors([self.tensor(index) for index in range(n_tensors)])
        return GgufSummary(
            architecture=str(self.values["general.architecture"]),
            n_tensors=n_tensors,
            n_kv=n_kv,
            version=version,
            size_bytes=len(self.data),
        )

    def refuse(self, what: str, value: object, why: str) -> NoReturn:
        raise ModelError(
            f"{self.name}: {what[:120]!r} is {str(value)[:80]}: {why}; "
            "fetch the file again or use another model"
        )

    def take(self, n_bytes: int, what: str) -> bytes:
        self.need(n_bytes, what)
        self.at += n_bytes
        return self.data[self.at - n_bytes : self.at]

    def need(self, n_bytes: int, what: str) -> None:
        left = min(len(self.data), MAX_HEADER_BYTES) - self.at
        if n_bytes > left:
            self.refuse(what, f"{n_bytes} bytes at {self.at}", f"only {left} bytes are left")

    def number(self, code: str, what: str) -> int | float:
        value: int | float = struct.unpack(
            "<" + code, self.take(struct.calcsize("<" + code), what)
        )[0]
        return value

    def count(self, what: str, limit: int, *, min_bytes: int) -> int:
        """Read a 64-bit count of things that take at least `min_bytes` each."""
        n_things = int(self.number("Q", what))
        if n_things > limit:
            self.refuse(what, n_things, f"more than {limit}")
        self.need(n_things * min_bytes, what)
        return n_things

    def string(self, what: str, limit: int) -> str:
        raw = self.take(self.count(f"{what} (length)", limit, min_bytes=1), what)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.refuse(what, raw[:40], f"invalid UTF-8 at byte {error.start}")

    def key_value(self, index: int) -> None:
        key = self.string(f"key {index}", MAX_KEY_BYTES)
        if key in self.kinds:
            self.refuse(key, "given twice", "keys must be unique")
        kind = int(self.number("I", f"{key} (type)"))
        self.kinds[key] = kind
        if kind == _ARRAY:
            self.array(key, depth=1)
        elif kind == _STRING:
            self.values[key] = self.string(key, MAX_STRING_BYTES)
        elif kind in _FORMATS:
            self.values[key] = value = self.number(_FORMATS[kind], key)
            if kind == _BOOL and value not in (0, 1):
                self.refuse(key, value, "a truth value must be 0 or 1")
        else:
            self.refuse(f"{key} (type)", kind, "unknown value type")

    def array(self, key: str, *, depth: int) -> None:
        if depth > MAX_ARRAY_DEPTH:
            self.refuse(key, f"depth {depth}", f"arrays nested deeper than {MAX_ARRAY_DEPTH}")
        kind = int(self.number("I", f"{key} (element type)"))
        if kind not in _MIN_BYTES:
            self.refuse(f"{key} (element type)", kind, "unknown value type")
        n_values = self.count(f"{key} (count)", MAX_ARRAY, min_bytes=_MIN_BYTES[kind])
        self.n_elements += n_values
        if self.n_elements > MAX_ALL_ELEMENTS:
            self.refuse(
                key, self.n_elements, f"more than {MAX_ALL_ELEMENTS} elements in all arrays"
            )
        if kind == _ARRAY:
            for _ in range(n_values):
                self.array(key, depth=depth + 1)
        elif kind == _STRING:
            self.strings(key, n_values)
        else:
            raw = self.take(n_values * _MIN_BYTES[kind], key)
            if kind == _BOOL and raw.strip(b"\0\1"):
                self.refuse(key, "a list", "truth values must be 0 or 1")

    def strings(self, key: str, n_values: int) -> None:
        """Check an array of strings; a plain loop, because vocabularies have 100,000 of them."""
        data, at, end = self.data, self.at, min(len(self.data), MAX_HEADER_BYTES)
        length_at = struct.Struct("<Q").unpack_from
        for index in range(n_values):
            if at + 8 > end:
                self.refuse(f"{key}[{index}]", f"8 bytes at {at}", "the file ends before it")
            begin = at + 8
            n_bytes = length_at(data, at)[0]
            if n_bytes > MAX_STRING_BYTES or begin + n_bytes > end:
                self.refuse(
                    f"{key}[{index}] (length)", n_bytes, "longer than the file or the limit"
                )
            at = begin + n_bytes
            try:
                data[begin:at].decode("utf-8")
            except UnicodeDecodeError:
                self.refuse(f"{key}[{index}]", data[begin : begin + 40], "invalid UTF-8")
        self.at = at

    def check_values(self) -> None:
        architecture = self.values.get("general.architecture")
        if self.kinds.get("general.architecture") != _STRING or not re.fullmatch(
            r"[a-z0-9][a-z0-9._-]{0,63}", str(architecture)
        ):
            self.refuse("general.architecture", architecture, "must name an architecture")
        for key, limit in SIZE_LIMITS.items():
            value = self.values.get(f"{architecture}.{key}", 0)
            if not isinstance(value, int) or not 0 <= value <= limit:
                self.refuse(f"{architecture}.{key}", value, f"must be a count up to {limit}")
        for key, kind in self.kinds.items():
            if not key.startswith("tokenizer.chat_template"):
                continue
            if kind == _STRING and len(str(self.values[key])) > MAX_TEMPLATE_CHARS:
                self.refuse(key, len(str(self.values[key])), f"more than {MAX_TEMPLATE_CHARS} long")
            if kind != _STRING and key != "tokenizer.chat_templates":
                self.refuse(key, f"of type {kind}", "must be text")

    def alignment(self) -> int:
        key = "general.alignment"
        value = self.values.get(key, 32)
        is_power = isinstance(value, int) and 0 < value <= MAX_ALIGNMENT and not value & (value - 1)
        if self.kinds.get(key, _UINT32) != _UINT32 or not isinstance(value, int) or not is_power:
            self.refuse(key, value, f"must be a power of two up to {MAX_ALIGNMENT}")
        return value

    def tensor(self, index: int) -> _Tensor:
        name = self.string(f"tensor {index} (name)", MAX_NAME_BYTES)
        n_dims = int(self.number("I", f"{name} (dimensions)"))
        if not 1 <= n_dims <= MAX_DIMS:
            self.refuse(f"{name} (dimensions)", n_dims, f"must be 1 to {MAX_DIMS}")
        dims = [int(self.number("Q", f"{name} (shape)")) for _ in range(n_dims)]
        n_elements = 1
        for length in dims:
            n_elements *= length
            if not 1 <= length <= MAX_ELEMENTS or n_elements > MAX_ELEMENTS:
                self.refuse(f"{name} (shape)", dims, f"must hold 1 to {MAX_ELEMENTS} elements")
        kind = int(self.number("I", f"{name} (type)"))
        if kind not in _QUANT_SIZES:
            self.refuse(f"{name} (type)", kind, "unknown tensor type")
        block, block_bytes = _QUANT_SIZES[kind]
        if dims[0] % block:
            label = GGMLQuantizationType(kind).name
            self.refuse(f"{name} (shape)", dims, f"rows of {label} must be multiples of {block}")
        begin = int(self.number("Q", f"{name} (offset)"))
        return _Tensor(name=name, begin=begin, n_bytes=n_elements // block * block_bytes)

    def check_tensors(self, tensors: list[_Tensor]) -> None:
        names: set[str] = set()
        for tensor in tensors:
            if tensor.name in names:
                self.refuse(tensor.name, "given twice", "tensor names must be unique")
            names.add(tensor.name)
        alignment = self.alignment()
        start = -(-self.at // alignment) * alignment
        n_data, end = len(self.data) - start, 0
        for tensor in sorted(tensors, key=lambda one: one.begin):
            if tensor.begin % alignment:
                self.refuse(f"{tensor.name} (offset)", tensor.begin, f"not aligned to {alignment}")
            if tensor.begin + tensor.n_bytes > n_data:
                self.refuse(f"{tensor.name} (offset)", tensor.begin, "its data ends after the file")
            if tensor.begin < end:
                self.refuse(f"{tensor.name} (offset)", tensor.begin, "overlaps another tensor")
            end = tensor.begin + tensor.n_bytes
