"""Finding many texts at once finds what looking for each of them finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from offtarget.codescan.literals import Literals, holds_each

TEXTS = ("e", "exec", "exec(", "xe", " from ", "::", "%", "ж(")


def one_by_one(code: str) -> int:
    literals = Literals(TEXTS)
    return literals.mask(text for text in TEXTS if text in code)


@settings(deadline=None)
@given(st.text(alphabet="exec( from:%ж\n\ud800", max_size=60))
def test_every_text_is_found_and_no_other(code: str) -> None:
    """Also overlapping ones, and beside characters that UTF-8 cannot write."""
    assert Literals(TEXTS).found(code) == one_by_one(code)


def test_long_code_is_searched_to_its_end() -> None:
    """Where a list of all places would be huge, texts are looked for one by one."""
    code = "e" * 200_000 + " from exec("
    assert Literals(TEXTS).found(code) == one_by_one(code)


def test_a_repeated_text_shares_its_bit() -> None:
    """Rules share literals; each group still means what it says."""
    literals = Literals(["a1", "b2", "a1"])
    groups = (literals.mask(["a1"]), literals.mask(["b2", "a1"]))
    assert holds_each(groups, literals.found("a1"))
    assert not holds_each(groups, literals.found("b2"))


def test_nothing_is_found_of_nothing() -> None:
    """A set without texts is allowed: some rules have no gate of one kind."""
    assert Literals(()).found("anything") == 0
