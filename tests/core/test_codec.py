"""Strict JSON in, canonical JSON out."""

import gzip
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from offtarget.core import codec
from offtarget.core.codec import (
    canonical,
    decode,
    decode_line,
    digest,
    file_digest,
    git_blob_id,
    parse,
    pretty,
    read_lines,
    to_builtins,
    write_lines,
)
from offtarget.core.errors import ConfigError, DataError
from offtarget.core.record_file import read_typed


class Color(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    size: int = 0


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    many: tuple[Inner, ...] = ()
    named: dict[str, Inner] = field(default_factory=dict)
    maybe: Inner | None = None
    color: Color = Color.RED


BAD_JSON = {
    '{"a": 1, "a": 2}': r"here: duplicate key 'a'; keep one of the two",
    '{"b": {"a": 1, "a": 2}}': r"here: duplicate key 'a'; keep one of the two",
    '{"a": NaN}': r"here: NaN is not JSON; write a finite number or null",
    "[-Infinity]": r"here: -Infinity is not JSON; write a finite number or null",
    "[1e999]": r"here: number '1e999' is not finite; write a smaller one",
    "[1,]": r"here: not JSON \(.+ at column \d+\); fix or remove the line",
    "": r"here: not JSON \(Expecting value at column 1\); fix or remove the line",
    "[" * 65 + "]" * 65: r"here: JSON nested deeper than 64; flatten the record",
    '{"a":' * 65 + "1" + "}" * 65: r"here: JSON nested deeper than 64; flatten the record",
    "9" * 5000: r"here: Exceeds the limit .+; write a shorter number",
}


@pytest.mark.parametrize("text", BAD_JSON, ids=[t[:16] for t in BAD_JSON])
def test_what_is_not_strict_json_is_refused_with_its_place(text: str) -> None:
    """Duplicate keys, non-finite numbers, deep nesting and huge integers are errors."""
    with pytest.raises(DataError, match=BAD_JSON[text]):
        parse(text, place="here")


def test_strict_json_is_read() -> None:
    """Brackets inside strings are text, and 64 levels are enough."""
    assert parse('{"a": [1, 2.5, null, true]}', place="") == {"a": [1, 2.5, None, True]}
    brackets = json.dumps("[{" * 100 + '"\\')
    assert parse(brackets, place="") == "[{" * 100 + '"\\'
    assert parse("[" * 64 + "]" * 64, place="") is not None


def test_the_same_record_is_the_same_bytes() -> None:
    """Keys are sorted, no space is written, text stays UTF-8; field order does not matter."""
    assert canonical({"b": 1, "a": "ä"}) == '{"a":"ä","b":1}'.encode()
    assert canonical(Outer("x")) == canonical(
        {"color": "red", "inner": {"size": 0}, "many": [], "maybe": None, "name": "x", "named": {}}
    )
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_record_that_is_not_finite_cannot_be_written(value: float) -> None:
    """NaN never reaches a file of records."""
    with pytest.raises(DataError, match=r"cannot write a record: .+; numbers must be finite"):
        canonical({"loss": value})


def test_numbers_survive_a_round_trip_exactly() -> None:
    """Floats are written with the digits that bring the same bits back."""
    values = [0.1, 1 / 3, 1e-310, 123456789.123456789]

    assert parse(canonical(values).decode(), place="") == values
    assert parse(pretty(values), place="") == values


def test_plain_data_holds_no_classes() -> None:
    """Enums become strings and records become dicts."""
    plain = to_builtins(Outer("x", many=(Inner(1),)))

    assert plain["color"] == "red"
    assert list(plain["many"]) == [{"size": 1}]


UNKNOWN = {
    "a typo": ({"nmae": "x"}, r"p: unknown key 'nmae'; did you mean 'name'\?"),
    "nothing near": ({"zzz": 1}, r"p: unknown key 'zzz'; known: name, inner, many"),
    "inside": ({"name": "x", "inner": {"sise": 1}}, r"p: inner: unknown key 'sise'; did you mean"),
    "in a list": ({"name": "x", "many": [{}, {"syze": 1}]}, r"p: many\[1\]: unknown key 'syze'"),
    "in a map": ({"name": "x", "named": {"k": {"q": 1}}}, r"p: named: k: unknown key 'q'; known"),
    "optional": ({"name": "x", "maybe": {"siez": 1}}, r"p: maybe: unknown key 'siez'; did you"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_keys_are_errors_with_a_suggestion(case: str) -> None:
    """At any depth, through lists, maps and optional records."""
    value, message = UNKNOWN[case]
    with pytest.raises(ConfigError, match=message):
        decode(value, Outer, place="p")


def test_wrong_types_and_missing_keys_name_the_place() -> None:
    """The kind of error is the caller's."""
    with pytest.raises(
        ConfigError, match=r"p: Expected `int`, got `str` - at `\$.inner.size`; see"
    ):
        decode({"name": "x", "inner": {"size": "big"}}, Outer, place="p")
    with pytest.raises(DataError, match=r"p: Object missing required field `name`"):
        decode({}, Outer, place="p", error=DataError)
    with pytest.raises(ConfigError, match="Expected `object`"):
        decode([], Outer, place="p")


def test_records_are_decoded_whole() -> None:
    """What was written is what is read."""
    record = Outer("x", Inner(2), (Inner(3),), {"k": Inner(4)}, Inner(5))

    assert decode(to_builtins(record), Outer, place="p") == record


def test_lines_are_read_one_by_one_with_their_number(tmp_path: Path) -> None:
    """Plain or gzip; a final newline is not a line."""
    for name, opened in (("a.jsonl", open), ("a.jsonl.gz", gzip.open)):
        path = tmp_path / name
        with opened(path, "wb") as file:
            file.write(b'{"a":1}\n{"a":2}\n')
        assert [(n, json.loads(t)["a"]) for n, t in read_lines(path)] == [(1, 1), (2, 2)]


def test_bad_lines_are_refused_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank, not UTF-8, over-long, or cut off inside gzip."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"1\n\n")
    with pytest.raises(DataError, match=r"a\.jsonl:2: blank line; remove it"):
        list(read_lines(path))
    path.write_bytes(b"1\nab\xff\n")
    with pytest.raises(DataError, match=r"a\.jsonl:2: invalid UTF-8 \(byte 0xff at 2\); save"):
        list(read_lines(path))
    monkeypatch.setattr(codec, "MAX_LINE_BYTES", 8)
    path.write_bytes(b"123456789\n")
    with pytest.raises(DataError, match=r"a\.jsonl:1: line longer than 8 bytes; split or shorten"):
        list(read_lines(path))
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b"1\n" * 10_000)[:40])
    with pytest.raises(DataError, match=r"a\.jsonl\.gz:\d+: cannot decompress \(.+\); fetch the"):
        list(read_lines(packed))
    with pytest.raises(DataError, match="x: blank line"):
        decode_line(b" \n", place="x")


def test_records_are_written_and_read_as_json_lines(tmp_path: Path) -> None:
    """One canonical record a line."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(write_lines([Inner(1), Inner(2)]))

    assert path.read_bytes() == b'{"size":1}\n{"size":2}\n'
    assert list(read_typed(path, Inner)) == [Inner(1), Inner(2)]


def test_digests_are_those_of_other_tools(tmp_path: Path) -> None:
    """sha256 as hashlib gives it; the blob id as `git hash-object` gives it, through gzip too."""
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"hello\n")
    packed = tmp_path / "f.jsonl.gz"
    packed.write_bytes(gzip.compress(b"hello\n"))

    assert file_digest(path) == hashlib.sha256(b"hello\n").hexdigest()
    assert git_blob_id(path) == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert git_blob_id(packed) == git_blob_id(path)
