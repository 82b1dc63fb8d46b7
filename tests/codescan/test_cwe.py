"""Kinds of flaws and when one names another."""

import pytest

from offtarget.codescan.cwe import covers, cwe, find_cwe, table
from offtarget.core.errors import DataError

SAME_FLAW = [
    ("CWE-89", "CWE-89"),
    ("CWE-564", "CWE-89"),
    ("CWE-80", "CWE-79"),
    ("CWE-23", "CWE-22"),
    ("CWE-338", "CWE-330"),
    ("CWE-916", "CWE-328"),
    ("CWE-1336", "CWE-94"),
    ("CWE-120", "CWE-119"),
    ("CWE-121", "CWE-119"),
    ("CWE-122", "CWE-787"),
    ("CWE-259", "CWE-798"),
    ("CWE-78", "CWE-77"),
]
OTHER_FLAW = [
    ("CWE-89", "CWE-79"),
    ("CWE-20", "CWE-89"),
    ("CWE-74", "CWE-78"),
    ("CWE-125", "CWE-787"),
    ("CWE-121", "CWE-122"),
    ("CWE-326", "CWE-327"),
    ("CWE-99999", "CWE-89"),
]


@pytest.mark.parametrize(("one", "other"), SAME_FLAW)
def test_a_kind_and_its_wider_kind_name_the_same_flaw(one: str, other: str) -> None:
    """Either may be reported where the other is the truth."""
    assert covers(one, other)
    assert covers(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER_FLAW)
def test_kinds_that_only_share_a_distant_root_do_not(one: str, other: str) -> None:
    """Siblings, pillars such as input validation, and unknown ids cover nothing else."""
    assert not covers(one, other)
    assert not covers(other, one)


def test_an_unknown_id_covers_itself() -> None:
    """A data set may use a kind that the table lacks."""
    assert covers("CWE-99999", "CWE-99999")


def test_the_table_holds_only_ids_that_it_knows() -> None:
    """Every wider kind has its own entry, ids are numbers in order, and no kind is its own root."""
    kinds = table()
    assert list(kinds) == sorted(kinds, key=lambda id: int(id.removeprefix("CWE-")))
    for id, kind in kinds.items():
        assert kind.id == id
        assert find_cwe(id) == id
        assert kind.name
        assert 1 <= len(kind.short.split()) <= 6
        assert set(kind.kind_of) <= set(kinds) - {id}


def test_no_kind_is_reached_from_itself() -> None:
    """The wider kinds form no circle, so that matching ends."""
    for id in table():
        above, frontier = set[str](), {id}
        while frontier:
            frontier = {wide for kind in frontier for wide in cwe(kind).kind_of} - above
            above |= frontier
        assert id not in above


def test_a_kind_knows_where_it_is_described() -> None:
    """The link and the two names are those of the kind."""
    kind = cwe("CWE-89")
    assert kind.url == "https://cwe.mitre.org/data/definitions/89.html"
    assert kind.short == "SQL injection"
    assert "SQL Command" in kind.name


@pytest.mark.parametrize("id", ["89", "cwe-89", "CWE-099", "CWE-99999", ""])
def test_an_unknown_id_is_refused(id: str) -> None:
    """A rule cannot name a kind that the table lacks."""
    with pytest.raises(DataError, match=r"not in the table of CWEs; write it as 'CWE-89'"):
        cwe(id)


def test_an_id_is_found_in_the_text_of_another_tool() -> None:
    """Tools write the id before its name, in a list or a link."""
    assert find_cwe("CWE-95: Improper Neutralization") == "CWE-95"
    assert find_cwe("see CWE-1336.") == "CWE-1336"
    assert find_cwe("no kind at all") is None
