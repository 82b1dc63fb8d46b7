"""Reading back, line by line, what a scan or a cleaning wrote."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from offtarget.core.errors import DataError

T = TypeVar("T")


def records_in(path: Path, type_: type[T]) -> Iterator[T]:
    """Yield the lines of a file that a scan or a cleaning wrote, quickly: keys are not checked.

    Raises:
        DataError: If the file cannot be read, or a line is no such record.
    """
    decoder = msgspec.json.Decoder(type_)
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    yield decode_line(decoder, raw)
                except (msgspec.MsgspecError, ValueError) as error:
                    raise DataError(
                        f"{path.name}:{number}: not a record of a scan ({error}); scan again"
                    ) from error
    except OSError as error:
        raise DataError(f"{path.name}: cannot read ({error.strerror}); scan again") from error


def decode_line(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """Return the record of one line.

    Raises:
        msgspec.MsgspecError, ValueError: If it is no such record.
    """
    try:
        return decoder.decode(raw)
    except UnicodeDecodeError:  # a lone surrogate, which we write as it is
        return msgspec.convert(json.loads(raw.decode("utf-8", "surrogatepass")), decoder.type)
