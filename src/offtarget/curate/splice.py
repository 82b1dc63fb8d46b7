"""Strings inside JSON or CSV text replaced by others; every other character stays as it is."""

import json
import re
from collections.abc import Mapping

from offtarget.core.errors import DataError

Slot = tuple[str | int, ...]
"""The way to one text of a row: `("messages", 1, "content")`."""

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ATOM = re.compile(r"[^\s,\]}]+")
_BLANK = re.compile(r"[ \t\n\r]*")
_CELL = re.compile(r'"[^"]*(?:""[^"]*)*"|[^,\r\n]*')


def splice_json(text: str, texts: Mapping[Slot, str]) -> str:
    """Return JSON text with the strings at some slots replaced.

    New strings are written in ASCII if all of `text` is, so that the file keeps its style.

    Args:
        text: Strict JSON, as `core.codec.parse` takes it.
        texts: What to put where.

    Raises:
        DataError: If a slot holds no string.
    """
    spans: dict[Slot, tuple[int, int]] = {}
    _walk(text, _skip(text, 0), (), spans)
    for slot in texts:
        if slot not in spans:
            raise DataError(f"no string at {'.'.join(map(str, slot))}; the row stays as it is")
    is_ascii = text.isascii()
    for slot in sorted(texts, key=lambda slot: spans[slot], reverse=True):
        start, end = spans[slot]
        text = text[:start] + json.dumps(texts[slot], ensure_ascii=is_ascii) + text[end:]
    return text


def splice_csv(line: str, cells: Mapping[int, str], *, n_cells: int) -> str:
    """Return one CSV record, line break included, with some cells replaced by quoted ones.

    Raises:
        DataError: If the record does not fall into `n_cells` cells.
    """
    spans: list[tuple[int, int]] = []
    position = 0
    while True:
        found = _CELL.match(line, position)
        assert found is not None, "it matches the empty text"
        spans.append(found.span())
        position = found.end() + 1
        if line[found.end() : position] != ",":
            break
    if len(spans) != n_cells or line[spans[-1][1] :].strip("\r\n"):
        raise DataError(
            "cells are quoted in a way that cannot be rewritten; the row stays as it is"
        )
    for index in sorted(cells, reverse=True):
        start, end = spans[index]
        quoted = '"' + cells[index].replace('"', '""') + '"'
        line = line[:start] + quoted + line[end:]
    return line


def _walk(text: str, start: int, slot: Slot, spans: dict[Slot, tuple[int, int]]) -> int:
    """Note where strings stand in the value that begins at `start`; return where it ends."""
    first = text[start]
    if first == '"':
        end = _string_end(text, start)
        spans[slot] = (start, end)
        return end
    if first not in "[{":
        found = _ATOM.match(text, start)
        assert found is not None, "parsed before"
        return found.end()
    position = _skip(text, start + 1)
    index = 0
    while text[position] not in "]}":
        key: str | int = index
        if first == "{":
            end = _string_end(text, position)
            key = json.loads(text[position:end])
            position = _skip(text, _skip(text, end) + 1)
        position = _skip(text, _walk(text, position, (*slot, key), spans))
        if text[position] == ",":
            position = _skip(text, position + 1)
        index += 1
    return position + 1


def _string_end(text: str, start: int) -> int:
    found = _STRING.match(text, start)
    assert found is not None, "parsed before"
    return found.end()


def _skip(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    assert found is not None, "it matches the empty text"
    return found.end()
