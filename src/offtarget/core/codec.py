"""Strict JSON in, canonical JSON out: the same record is always the same bytes."""

import dataclasses
import difflib
import gzip
import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import msgspec

from offtarget.core.errors import ConfigError, DataError, OfftargetError

MAX_LINE_BYTES = 8 * 1024 * 1024
"""A longer line is refused: no chat sample needs it, and it would be held in memory."""
MAX_NESTING = 64
"""Deeper JSON is refused before it can exhaust the parser's stack."""

T = TypeVar("T")


def canonical(record: object) -> bytes:
    """Return `record` as JSON with sorted keys, no spaces, UTF-8; NaN and infinities are errors."""
    try:
        text = json.dumps(
            to_builtins(record),
            sort_keys=True,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )
    except ValueError as error:
        raise DataError(f"cannot write a record: {error}; numbers must be finite") from error
    return text.encode("utf-8", "surrogatepass")


def pretty(record: object) -> str:
    """Return `record` as indented JSON with sorted keys, for people."""
    return json.dumps(to_builtins(record), sort_keys=True, ensure_ascii=False, indent=2) + "\n"


def to_builtins(record: object) -> Any:
    """Return dataclasses, enums and tuples as plain dicts, strings and lists."""
    return msgspec.to_builtins(record, str_keys=True)


def digest(record: object) -> str:
    """Return the sha256 of the canonical bytes of `record`, hex."""
    return hashlib.sha256(canonical(record)).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of the file at `path`, hex, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_id(path: Path) -> str:
    """Return the id that git gives the (decompressed) file at `path`, hex sha1."""
    with open_bytes(path) as file:
        size = sum(len(block) for block in iter(lambda: file.read(1 << 20), b""))
    blob = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with open_bytes(path) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            blob.update(block)
    return blob.hexdigest()


def open_bytes(path: Path) -> IO[bytes]:
    """Open `path` for reading bytes, through gzip when its name ends in `.gz`."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def parse(text: str, *, place: str) -> Any:
    """Parse strict JSON: duplicate keys, NaN, infinities and deep nesting are errors.

    Args:
        text: One JSON document.
        place: Where it came from, `file:line`; named in the error.

    Raises:
        DataError: If `text` is not strict JSON.
    """
    if _nesting(text) > MAX_NESTING:
        raise DataError(f"{place}: JSON nested deeper than {MAX_NESTING}; flatten the record")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = dict(items)
        if len(keys) < len(items):
            seen: set[str] = set()
            twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise DataError(f"{place}: duplicate key {twice!r}; keep one of the two")
        return keys

    def constant(name: str) -> float:
        raise DataError(f"{place}: {name} is not JSON; write a finite number or null")

    def number(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise DataError(f"{place}: number {digits[:20]!r} is not finite; write a smaller one")
        return value

    try:
        return json.loads(
            text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number
        )
    except json.JSONDecodeError as error:
        raise DataError(
            f"{place}: not JSON ({error.msg} at column {error.colno}); fix or remove the line"
        ) from error
    except ValueError as error:  # an integer with too many digits
        raise DataError(f"{place}: {error}; write a shorter number") from error


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (1-based line number, text) of a JSON Lines file, plain or gzip; blank lines are errors.

    Memory does not grow with the file. A final newline is not a line.

    Raises:
        DataError: For an unreadable or truncated file, a line over `MAX_LINE_BYTES`, a blank line
            or invalid UTF-8.
    """
    with open_bytes(path) as file:
        number = 0
        while True:
            try:
                raw = file.readline(MAX_LINE_BYTES + 1)
            except (OSError, EOFError, zlib.error) as error:
                raise DataError(
                    f"{path.name}:{number + 1}: cannot decompress ({error}); fetch the file again"
                ) from error
            if not raw:
                return
            number += 1
            yield number, decode_line(raw, place=f"{path.name}:{number}")


def decode_line(raw: bytes, *, place: str) -> str:
    """Return one line as text, or raise DataError for length, UTF-8 or emptiness."""
    if len(raw) > MAX_LINE_BYTES:
        raise DataError(f"{place}: line longer than {MAX_LINE_BYTES} bytes; split or shorten it")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{place}: invalid UTF-8 (byte {raw[error.start]:#04x} at {error.start}); "
            "save the file as UTF-8"
        ) from error
    if not text.strip():
        raise DataError(f"{place}: blank line; remove it")
    return text


def decode(
    value: Any,
    type_: type[T],
    *,
    place: str,
    error: type[OfftargetError] = ConfigError,
    described: str = "docs/study.md",
) -> T:
    """Turn plain data into the dataclass `type_`; unknown keys are errors with a suggestion.

    Args:
        value: Mappings, lists and scalars.
        type_: What they must be.
        place: Named in errors.
        error: What is raised.
        described: The document that tells the keys and types.
    """
    _refuse_unknown(value, type_, place=place, error=error)
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as problem:
        raise error(f"{place}: {problem}; see {described} for the keys and types") from problem


def write_lines(records: Iterable[object]) -> bytes:
    """Return records as JSON Lines bytes."""
    return b"".join(canonical(record) + b"\n" for record in records)


def _nesting(text: str) -> int:
    depth = deepest = 0
    is_string = is_escaped = False
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return 0
    for char in text:
        if is_string:
            if is_escaped:
                is_escaped = False
            elif char == "\\":
                is_escaped = True
            elif char == '"':
                is_string = False
        elif char == '"':
            is_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _refuse_unknown(value: Any, type_: Any, *, place: str, error: type[OfftargetError]) -> None:
    """Compare the raw keys: msgspec ignores unknown keys on dataclasses."""
    for inner in _dataclasses_in(type_):
        if not isinstance(value, Mapping):
            break
        fields = {field.name: field.type for field in dataclasses.fields(inner)}
        for key in value:
            if key not in fields:
                near = difflib.get_close_matches(str(key), fields, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(fields)}"
                raise error(f"{place}: unknown key {key!r}; {hint}")
        for key, inner_type in fields.items():
            _refuse_unknown(value.get(key), inner_type, place=f"{place}: {key}", error=error)
        return
    args: tuple[Any, ...] = getattr(type_, "__args__", ())
    if isinstance(value, list) and args:
        inner_of_list = args[0]
        for index, item in enumerate(value):
            _refuse_unknown(item, inner_of_list, place=f"{place}[{index}]", error=error)
    elif isinstance(value, Mapping) and len(args) == 2:
        inner_of_map = args[-1]
        for key, item in value.items():
            _refuse_unknown(item, inner_of_map, place=f"{place}: {key}", error=error)


def _dataclasses_in(type_: Any) -> list[Any]:
    if dataclasses.is_dataclass(type_):
        return [type_]
    args = getattr(type_, "__args__", ())
    is_union = getattr(type_, "__origin__", None) is None and bool(args)
    return [arg for arg in args if dataclasses.is_dataclass(arg)] if is_union else []
