"""Records on disk by the digest of what made them: added to, never changed, checked when read."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout

from offtarget.core.codec import MAX_LINE_BYTES, canonical, decode, decode_line, parse
from offtarget.core.errors import DataError, OfftargetError, ResourceError

SHARD_BYTES = 64 * 1024 * 1024
"""A shard that has reached this size is closed and a new one begun."""
LOCK_WAIT_S = 30.0
"""Writers hold the lock for one append; a longer wait means that one hangs."""
LOCK = "lock"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place:
    shard: str
    line: int
    offset: int
    size: int


class Shelf(Generic[T]):
    """One kind of record of a store, in JSON Lines shards that any number of processes share.

    Each line holds a key, a record and the sha256 of both. One writer appends at a time, under a
    lock; before it does, it reads what others have added, so that no key is written twice.
    """

    def __init__(self, folder: Path, type_: type[T]) -> None:
        """Read the shards; a last line torn by a kill is left out, any other fault is an error.

        Args:
            folder: Made by the first write.
            type_: Record type; unknown and missing fields are errors.

        Raises:
            DataError: With `shard:line`, for a damaged line.
        """
        self._folder, self._type = folder, type_
        self._places: dict[str, _Place] = {}
        self._read: dict[str, tuple[int, int]] = {}  # shard to (bytes, lines) taken in
        self._catch_up()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def get(self, key: str) -> T | None:
        """Return the record under `key`, or None.

        Raises:
            DataError: With `shard:line`, if the line was damaged since it was indexed.
        """
        place = self._places.get(key)
        if place is None:
            return None
        where = f"{place.shard}:{place.line}"
        with (self._folder / place.shard).open("rb") as file:
            file.seek(place.offset)
            found, record = _checked(file.read(place.size), where)
        if found != key:
            raise DataError(f"{where}: another record than before; {_CURE}")
        return decode(record, self._type, place=where, error=DataError)

    def put(self, records: Mapping[str, T]) -> int:
        """Append the records whose keys are new, in one write; return how many those were.

        The first record under a key stays: a second answer for the same key is dropped.

        Raises:
            ResourceError: If the disk takes no more or another writer hangs.
        """
        if all(key in self._places for key in records):
            return 0
        with self._locked():
            self._catch_up(mend=True)
            new = {key: record for key, record in records.items() if key not in self._places}
            if new:
                self._append(new)
        return len(new)

    def _append(self, new: Mapping[str, T]) -> None:
        path = self._folder / self._current()
        block = b"".join(_line(key, record) for key, record in new.items())
        try:
            with path.open("ab") as file:
                file.write(block)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _write_error(path, error) from error
        self._catch_up()

    def _current(self) -> str:
        """Return the name of the shard to append to."""
        if not self._read:
            return "00000.jsonl"
        last = max(self._read)
        if self._read[last][0] < SHARD_BYTES:
            return last
        return f"{int(last.removesuffix('.jsonl')) + 1:05d}.jsonl"

    def _catch_up(self, *, mend: bool = False) -> None:
        """Index what stands behind the part that was read; with the lock held, cut a torn end."""
        for path in sorted(self._folder.glob("[0-9]" * 5 + ".jsonl")):
            start, lines = self._read.get(path.name, (0, 0))
            for number, offset, raw in _lines_from(path, start, lines):
                key, _ = _checked(raw, f"{path.name}:{number}")
                self._places.setdefault(key, _Place(path.name, number, offset, len(raw)))
                start, lines = offset + len(raw), number
            self._read[path.name] = (start, lines)
            if mend and path.stat().st_size > start:
                os.truncate(path, start)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / LOCK, timeout=LOCK_WAIT_S):
                yield
        except Timeout as error:
            raise ResourceError(
                f"{str(self._folder / LOCK)!r} has been held for {LOCK_WAIT_S:g} s; end the "
                "process that hangs, or give another --store"
            ) from error
        except OSError as error:
            raise _write_error(self._folder, error) from error


_CURE = "remove the line, its answer is then asked for again, or restore the file from a copy"


def _line(key: str, record: object) -> bytes:
    body = canonical({"key": key, "record": record})
    check = hashlib.sha256(body).hexdigest()
    return b'{"check":"' + check.encode() + b'",' + body[1:] + b"\n"


def _checked(raw: bytes, place: str) -> tuple[str, Any]:
    """Return (key, record) of one line whose checksum holds."""
    start = len(b'{"check":"') + 64 + len(b'",')
    body = b"{" + raw[start:].rstrip(b"\n")
    check = hashlib.sha256(body).hexdigest().encode()
    if raw[:start] != b'{"check":"' + check + b'",':
        raise DataError(f"{place}: the record does not match its checksum; {_CURE}")
    try:
        value = parse(decode_line(body, place=place), place=place)
        return str(value["key"]), value["record"]
    except (OfftargetError, KeyError, TypeError) as error:
        raise DataError(f"{place}: not a stored record ({error}); {_CURE}") from error


def _lines_from(path: Path, start: int, lines: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (1-based line, offset, raw) of the whole lines from byte `start` on."""
    with path.open("rb") as file:
        offset = file.seek(start)
        while raw := file.readline(2 * MAX_LINE_BYTES):
            if not raw.endswith(b"\n"):
                if len(raw) >= 2 * MAX_LINE_BYTES:
                    raise DataError(f"{path.name}:{lines + 1}: endless line; {_CURE}")
                return  # being written, or torn by a kill
            lines += 1
            yield lines, offset, raw
            offset += len(raw)


def _write_error(path: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"cannot write {str(path)!r} ({error.strerror}); free disk space or fix permissions and run "
        "the same command again, what was paid for so far is kept"
    )
