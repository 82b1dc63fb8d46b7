"""Whether a record has the layout that is read."""

from typing import Any

import pytest

from offtarget.core.errors import VerifyError
from offtarget.core.schema import check_schema


@pytest.mark.parametrize("record", [{}, {"schema": None}, {"schema": "2"}, {"schema": 2.0}, [], 2])
def test_a_record_without_a_number_of_its_layout_is_refused(record: Any) -> None:
    """A missing, written or fractional number is no number."""
    with pytest.raises(VerifyError, match=r"x\.json: schema is '.*', not a whole number; restore"):
        check_schema("x.json", record, 2)


def test_true_is_not_one() -> None:
    """Though Python says so."""
    with pytest.raises(VerifyError, match="schema is 'True', not a whole number"):
        check_schema("x.json", {"schema": True}, 1)


def test_another_layout_is_told_with_the_way_out() -> None:
    """Newer, older, and the one that is read."""
    with pytest.raises(VerifyError, match=r"schema 3 is newer than this version reads \(2\); upg"):
        check_schema("x.json", {"schema": 3}, 2)
    with pytest.raises(VerifyError, match=r"schema 1 is older .* \(2\); verify with the version"):
        check_schema("x.json", {"schema": 1}, 2)
    check_schema("x.json", {"schema": 2}, 2)
