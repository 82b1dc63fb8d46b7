"""The GGUF reader accepts what the gguf library writes and refuses every lie about it."""

import random
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from offtarget.core.errors import ModelError
from offtarget.lm.gguf_header import check_gguf

U32, BOOL, STRING, ARRAY, U64 = 4, 7, 8, 9, 10


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str, kind: int, payload: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + payload


ARCHITECTURE = pair("general.architecture", STRING, text("llama"))


def tensor(
    name: str | bytes = "a", dims: tuple[int, ...] = (8,), kind: int = 0, offset: int = 0
) -> bytes:
    shape = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
    return text(name) + shape + struct.pack("<IQ", kind, offset)


def build(
    pairs: list[bytes] | None = None,
    tensors: list[bytes] | None = None,
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    n_tensors: int | None = None,
    n_kv: int | None = None,
    n_data: int = 64,
) -> bytes:
    """Return the bytes of a GGUF file, with counts that may lie."""
    pairs = [ARCHITECTURE] if pairs is None else pairs
    tensors = [tensor()] if tensors is None else tensors
    counts = struct.pack(
        "<IQQ",
        version,
        len(tensors) if n_tensors is None else n_tensors,
        len(pairs) if n_kv is None else n_kv,
    )
    header = magic + counts + b"".join(pairs) + b"".join(tensors)
    return header + bytes(-len(header) % 32) + bytes(n_data)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A small file by the gguf library, with every kind of value."""
    path = tmp_path / "good.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(64)
    writer.add_chat_template("{{ messages }}")
    writer.add_token_list([f"token é {index}" for index in range(50)])
    writer.add_token_types([1] * 50)
    writer.add_add_bos_token(True)
    writer.add_array("nested", [[1, 2], [3, 4]])
    writer.add_array("flags", [True, False])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tensor("token_embd.weight", np.zeros((50, 64), dtype=np.float32))
    blocks = gguf.quants.quantize(
        np.ones((4, 64), dtype=np.float32), gguf.GGMLQuantizationType.Q8_0
    )
    writer.add_tensor("q.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_written_file_is_accepted(written: Path) -> None:
    """The summary holds what the library wrote."""
    summary = check_gguf(written)

    assert (summary.architecture, summary.n_tensors, summary.version) == ("llama", 2, 3)
    assert summary.n_kv == len(gguf.GGUFReader(written).fields) - 3  # the library counts 3 itself
    assert summary.size_bytes == written.stat().st_size


def test_our_own_builder_is_accepted(tmp_path: Path) -> None:
    """The lies below are refused for the lie, not for the way they are built."""
    for version in (2, 3):
        path = tmp_path / f"v{version}.gguf"
        path.write_bytes(build(version=version))
        assert check_gguf(path).version == version


def array(kind: int, count: int, payload: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + payload


def with_pair(key: str, kind: int, payload: bytes) -> bytes:
    return build([ARCHITECTURE, pair(key, kind, payload)])


def alignment(value: int) -> bytes:
    return with_pair("general.alignment", U32, struct.pack("<I", value))


NESTED = array(ARRAY, 1) * 4 + array(U32, 1, bytes(4))
LIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "too short"),
    "short": (b"GGUF" + bytes(19), "too short"),
    "magic": (build(magic=b"GGML"), "'magic' is b'GGML'"),
    "version 1": (build(version=1), "'version' is 1"),
    "big endian": (build(version=3 << 24), "'version' is 50331648"),
    "many tensors": (build(n_tensors=65_537), "'tensor count' is 65537: more than 65536"),
    "endless tensors": (build(n_tensors=2**64 - 1), "'tensor count' is 18446744073709551615"),
    "tensors beyond": (build(n_tensors=60_000), "'tensor count' is 1440000 bytes"),
    "no tensors": (build(tensors=[]), "'tensor count' is 0: the file holds no weights"),
    "many keys": (build(n_kv=65_537), "'key count' is 65537: more than 65536"),
    "keys beyond": (build(n_kv=60_000), "'key count' is 780000 bytes"),
    "one key more": (build(n_kv=2), "' .dimensions.' is 0"),
    "long key": (build([ARCHITECTURE, struct.pack("<Q", 65_536)]), r"'key 1 \(length\)' is 65536"),
    "key bytes": (build([ARCHITECTURE, text(b"\xff") + bytes(12)]), "'key 1' is .*invalid UTF-8"),
    "same key": (build([ARCHITECTURE, ARCHITECTURE]), "'general.architecture' is given twice"),
    "value type": (with_pair("x", 13, bytes(8)), r"'x \(type\)' is 13: unknown value type"),
    "truth": (with_pair("x", BOOL, b"\2"), "'x' is 2: a truth value"),
    "long text": (with_pair("x", STRING, struct.pack("<Q", 2**24 + 1)), "more than 16777216"),
    "text beyond": (with_pair("x", STRING, struct.pack("<Q", 2**20)), "'x .length.' is 1048576 b"),
    "text bytes": (with_pair("x", STRING, text(b"a\xff")), "'x' is .*invalid UTF-8 at byte 1"),
    "array type": (with_pair("x", ARRAY, array(99, 1)), r"'x \(element type\)' is 99"),
    "array count": (with_pair("x", ARRAY, array(U32, 2_000_001)), r"'x \(count\)' is 2000001"),
    "array endless": (with_pair("x", ARRAY, array(U64, 2**63)), r"'x \(count\)' is 9223372036854"),
    "array beyond": (with_pair("x", ARRAY, array(U64, 10**6)), r"'x \(count\)' is 8000000 bytes"),
    "strings beyond": (
        with_pair("x", ARRAY, array(STRING, 2, struct.pack("<Q", 2**20) + bytes(8))),
        r"'x\[0\] \(length\)' is 1048576",
    ),
    "strings cut": (
        build([ARCHITECTURE, pair("x", ARRAY, array(STRING, 2, text("y" * 60)))], [], n_tensors=1)[
            :150
        ],
        "x",
    ),
    "string bytes": (with_pair("x", ARRAY, array(STRING, 1, text(b"\xff"))), r"'x\[0\]' is"),
    "array truth": (with_pair("x", ARRAY, array(BOOL, 2, b"\1\2")), "truth values must be"),
    "array depth": (with_pair("x", ARRAY, NESTED), "arrays nested deeper than 4"),
    "no architecture": (build([]), "'general.architecture' is None"),
    "number architecture": (
        build([pair("general.architecture", U32, bytes(4))]),
        "'general.architecture' is 0",
    ),
    "path architecture": (
        build([pair("general.architecture", STRING, text("../x"))]),
        "'general.architecture' is ../x",
    ),
    "blocks": (
        with_pair("llama.block_count", U32, struct.pack("<I", 1_025)),
        "'llama.block_count' is 1025",
    ),
    "template": (
        with_pair("tokenizer.chat_template", STRING, text("x" * 65_537)),
        "'tokenizer.chat_template' is 65537",
    ),
    "named template": (
        with_pair("tokenizer.chat_template.tool", STRING, text("x" * 65_537)),
        "'tokenizer.chat_template.tool' is 65537",
    ),
    "template number": (
        with_pair("tokenizer.chat_template", U32, bytes(4)),
        "'tokenizer.chat_template' is of type 4",
    ),
    "alignment 0": (alignment(0), "'general.alignment' is 0"),
    "alignment 48": (alignment(48), "'general.alignment' is 48"),
    "alignment big": (alignment(131_072), "'general.alignment' is 131072"),
    "alignment type": (with_pair("general.alignment", U64, struct.pack("<Q", 32)), "alignment"),
    "same tensor": (build(tensors=[tensor(), tensor(offset=32)]), "'a' is given twice"),
    "long name": (build(tensors=[tensor("a" * 257)]), r"'tensor 0 \(name\) \(length\)' is 257"),
    "name bytes": (build(tensors=[tensor(b"\xff")]), r"'tensor 0 \(name\)' is .*invalid UTF-8"),
    "no dims": (build(tensors=[tensor(dims=())]), r"'a \(dimensions\)' is 0"),
    "five dims": (build(tensors=[tensor(dims=(1,) * 5)]), r"'a \(dimensions\)' is 5"),
    "zero dim": (build(tensors=[tensor(dims=(8, 0))]), r"'a \(shape\)' is \[8, 0\]"),
    "wide": (build(tensors=[tensor(dims=(2**41,))]), r"'a \(shape\)' is \[2199023255552\]"),
    "wrapping": (build(tensors=[tensor(dims=(2**32, 2**32))]), r"'a \(shape\)'"),
    "tensor type": (build(tensors=[tensor(kind=4)]), r"'a \(type\)' is 4: unknown tensor type"),
    "half a block": (build(tensors=[tensor(dims=(8,), kind=2)]), "rows of Q4_0 must be multiples"),
    "unaligned": (build(tensors=[tensor(offset=8)]), r"'a \(offset\)' is 8: not aligned to 32"),
    "data beyond": (build(tensors=[tensor(dims=(17,))]), "its data ends after the file"),
    "offset beyond": (build(tensors=[tensor(offset=2**63)]), "its data ends after the file"),
    "overlap": (build(tensors=[tensor(dims=(16,)), tensor("b", offset=32)]), "overlaps another"),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_are_refused(name: str, tmp_path: Path) -> None:
    """The message names the file, the field and the value."""
    raw, pattern = LIES[name]
    path = tmp_path / "lie.gguf"
    path.write_bytes(raw)

    with pytest.raises(ModelError, match=f"lie.gguf: .*({pattern})"):
        check_gguf(path)


def test_array_elements_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many arrays below the limit are refused by their sum."""
    monkeypatch.setattr("offtarget.lm.gguf_header.MAX_ALL_ELEMENTS", 5)
    path = tmp_path / "lie.gguf"
    path.write_bytes(
        build([ARCHITECTURE, *(pair(f"x{i}", ARRAY, array(U32, 3, bytes(12))) for i in range(2))])
    )

    with pytest.raises(ModelError, match="'x1' is 6: more than 5"):
        check_gguf(path)


def test_a_header_over_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the header must lie below the limit, however long the file is."""
    monkeypatch.setattr("offtarget.lm.gguf_header.MAX_HEADER_BYTES", 64)
    path = tmp_path / "lie.gguf"
    path.write_bytes(build(n_data=10_000))

    with pytest.raises(ModelError, match="bytes are left"):
        check_gguf(path)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """Only regular files are opened."""
    with pytest.raises(ModelError, match="not a regular file"):
        check_gguf(tmp_path)


def flip(raw: bytearray, noise: random.Random) -> bytearray:
    for _ in range(noise.randint(1, 4)):
        raw[noise.randrange(len(raw))] = noise.choice(
            [0, 1, 0x7F, 0x80, 0xFF, noise.randrange(256)]
        )
    return raw


def cut(raw: bytearray, noise: random.Random) -> bytearray:
    return raw[: noise.randrange(len(raw))]


def stretch(raw: bytearray, noise: random.Random) -> bytearray:
    at = noise.randrange(len(raw) - 8)
    raw[at : at + 8] = struct.pack("<Q", noise.choice([2**16, 2**31, 2**40, 2**63, 2**64 - 1]))
    return raw


@pytest.mark.parametrize("spoil", [flip, cut, stretch])
def test_random_damage_is_a_model_error_or_harmless(
    spoil: Callable[[bytearray, random.Random], bytearray], written: Path
) -> None:
    """500 damaged headers each: nothing but ModelError, in under 1 s and 16 MB."""
    good = written.read_bytes()
    n_header = good.rindex(b"q.weight") + 40
    noise = random.Random(0)
    n_refused = 0
    tracemalloc.start()
    for _ in range(500):
        head = spoil(bytearray(good[:n_header]), noise)
        tail = good[n_header:] if len(head) == n_header else b""
        written.write_bytes(bytes(head) + tail)
        begun = time.monotonic()
        try:
            check_gguf(written)
        except ModelError:
            n_refused += 1
        assert time.monotonic() - begun < 1.0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20
    assert n_refused > 100


def test_a_vocabulary_is_read_quickly(tmp_path: Path) -> None:
    """100,000 strings take far less than 2 s."""
    tokens = b"".join(text(f"token{index}") for index in range(100_000))
    path = tmp_path / "tokens.gguf"
    path.write_bytes(with_pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 100_000, tokens)))

    begun = time.monotonic()
    check_gguf(path)

    assert time.monotonic() - begun < 2.0
