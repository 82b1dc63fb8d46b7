"""Splicing: the named string changes, every other character stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtarget.core.errors import DataError
from offtarget.curate.splice import splice_csv, splice_json

LINE = (
    ' {"n": 1.50e+3, "id": 12345678901234567890, "messages" :[ {"role":"user","content":"a\\u00e9"},'
    '{"content": "b\\"]}" , "role": "assistant"}],"x":{"content":"b"}, "t": [true,null,{}, []]}\r\n'
)


def test_only_the_string_at_the_slot_changes() -> None:
    """Numbers, blanks, escapes, key order and the line break are the same characters."""
    said = splice_json(LINE, {("messages", 1, "content"): 'new "é"\n'})

    assert said == LINE.replace('"b\\"]}"', '"new \\"\\u00e9\\"\\n"')


def test_text_that_is_not_ascii_stays_readable() -> None:
    """A file that writes é as itself goes on doing so."""
    assert splice_json('{"ä": "x"}', {("ä",): "ö"}) == '{"ä": "ö"}'


def test_two_slots_are_replaced_at_once() -> None:
    """Offsets do not get in each other's way."""
    assert splice_json('{"a":"x","b":"y"}', {("a",): "long", ("b",): ""}) == '{"a":"long","b":""}'


@pytest.mark.parametrize("slot", [("missing",), ("n",), ("messages",), ("messages", 7, "content")])
def test_a_slot_without_a_string_is_refused(slot: tuple[str | int, ...]) -> None:
    """Nothing is added, and no number becomes a string."""
    with pytest.raises(DataError, match=r"^no string at .*; the row stays as it is$"):
        splice_json(LINE, {slot: "x"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.text(), st.sampled_from([None, 1]), st.booleans())
def test_any_json_is_spliced_as_json_would_be(
    value: object, text: str, indent: int | None, is_ascii: bool
) -> None:
    """Parsing what comes out gives the value with one string replaced."""
    row = {"before": value, "here": "old", "after": value}
    written = json.dumps(row, indent=indent, ensure_ascii=is_ascii)

    said = json.loads(splice_json(written, {("here",): text}))

    assert said == {**row, "here": text}
    assert list(said) == list(row)


def test_a_csv_cell_is_replaced_where_it_stands() -> None:
    """Other cells keep their quotes or the lack of them; a cell may hold line breaks."""
    line = 'a,"b, ""c""\r\nd",,"e"\r\n'

    assert splice_csv(line, {0: "x\ny", 2: '"'}, n_cells=4) == '"x\ny","b, ""c""\r\nd","""","e"\r\n'
    assert splice_csv("only\n", {0: ""}, n_cells=1) == '""\n'


def test_a_csv_record_that_cannot_be_cut_is_refused() -> None:
    """Better no rewrite than a wrong one."""
    with pytest.raises(DataError, match=r"^cells are quoted in a way that cannot be rewritten"):
        splice_csv("a,b\n", {0: "x"}, n_cells=3)
    with pytest.raises(DataError, match=r"^cells are quoted"):
        splice_csv('"a"b,c\n', {0: "x"}, n_cells=1)
