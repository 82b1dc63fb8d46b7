"""Every fix kind on its own pair of programs."""

from pathlib import Path

import pytest

from offtarget.core.finding import Severity
from offtarget.curate.sanitize import FixStatus
from offtarget.curate.sanitize.fixes import KINDS
from offtarget.curate.sanitize.kind import FixKind

from .cases import run, sanitized

_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)


@_each_kind
def test_a_kind_turns_its_flawed_program_into_its_sound_one(kind: FixKind) -> None:
    """Every byte outside the fix stays, and every obligation holds."""
    found = sanitized(kind.before, gate=Severity.LOW if kind.is_small else Severity.MEDIUM)

    assert found.code == kind.after
    assert found.status is FixStatus.FIXED
    assert [one.name for one in found.obligations if not one.held] == []
    assert {edit.kind for edit in found.edits} <= {kind.id, "import"}


@_each_kind
def test_both_programs_do_the_same_on_benign_input(kind: FixKind, tmp_path: Path) -> None:
    """What the flawed program prints, the sound one prints."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    before = run(f"{kind.before}\n{kind.exercise}", tmp_path / "before")
    after = run(f"{kind.after}\n{kind.exercise}", tmp_path / "after")

    assert before.strip()
    assert after == before


@_each_kind
def test_a_sound_program_is_left_alone(kind: FixKind) -> None:
    """Sanitizing what was sanitized changes nothing."""
    assert sanitized(kind.after).code == kind.after


def test_kinds_have_ids_of_their_own() -> None:
    """An id names one kind, since it is stored with the edits."""
    assert len({kind.id for kind in KINDS}) == len(KINDS)
