"""Rewrites that are no fixes break an obligation."""

import pytest

from offtarget.codescan.flaw import Flaw
from offtarget.core.finding import Severity
from offtarget.curate.sanitize.apply import applied
from offtarget.curate.sanitize.obligations import no_new_finding, obligations
from offtarget.curate.sanitize.records import Edit
from offtarget.curate.sanitize.source import Source

from .cases import flaws_of

CODE = """\
import os


def publish(path, name="a"):
    print(name)
    os.chmod(path, 0o777)
    return path
"""


def _broken(old: str, new: str, code: str = CODE) -> list[str]:
    """Return the obligations that replacing a text breaks."""
    start = code.index(old)
    edit = Edit(start, start + len(old), new, "OT-PY-022", "test", "")
    after = applied(code, [edit])
    checked = obligations(Source(code), Source(after), [edit], flaws_of(code))
    return [one.name for one in checked if not one.held]


def test_a_fix_in_the_finding_holds() -> None:
    """Changing the mode alone breaks nothing."""
    assert _broken("0o777", "0o700") == []


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("pass", "the statement is gone"),
        ("raise PermissionError", "a raise takes its place"),
        ("return None", "a constant return takes its place"),
        ("os.stat(path)", "another operation takes its place"),
        ("os.chmod('/srv', 0o700)", "it does it to another value"),
    ],
)
def test_taking_the_operation_away_is_no_fix(new: str, why: str) -> None:
    """Deleting, raising, a constant return and another operation are all refused."""
    assert "operation stays" in _broken("os.chmod(path, 0o777)", new), why


@pytest.mark.parametrize("comment", ["# nosec", "# noqa: S103", "# nosemgrep"])
def test_a_suppression_comment_is_no_fix(comment: str) -> None:
    """Silencing a scanner is told from fixing the flaw."""
    line = "os.chmod(path, 0o777)"
    assert "no suppression" in _broken(line, f"{line}  {comment}")


def test_an_edit_elsewhere_is_refused() -> None:
    """A statement that has nothing to do with the flaw may not change."""
    assert _broken("print(name)", "print(name, name)") == ["edits stay in the findings"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("publish", "publish_safely"), ('name="a"', 'name="b"'), ("path, name", "path, mode, name")],
)
def test_public_names_and_signatures_stay(old: str, new: str) -> None:
    """A renamed function, another default and a further parameter are all told."""
    assert "public names" in _broken(old, new)


def test_code_that_no_longer_parses_is_refused() -> None:
    """A rewrite may not be harder to read than the original."""
    assert "parses" in _broken("0o777)", "0o700")


def _flaw(cwe: str, severity: Severity) -> Flaw:
    return Flaw("X1", cwe, severity, 0.9, "test", 0, 1, "A flaw.")


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ([("CWE-89", Severity.HIGH)], [], True),
        ([("CWE-89", Severity.HIGH)], [("CWE-89", Severity.LOW)], True),
        ([("CWE-89", Severity.HIGH)], [("CWE-89", Severity.MEDIUM)], True),
        ([("CWE-89", Severity.HIGH)], [("CWE-79", Severity.LOW)], False),
        ([("CWE-89", Severity.HIGH)], [("CWE-89", Severity.HIGH)], False),
        ([("CWE-89", Severity.LOW)], [("CWE-89", Severity.LOW)] * 2, False),
    ],
)
def test_findings_must_get_fewer_and_no_kind_worse(
    before: list[tuple[str, Severity]], after: list[tuple[str, Severity]], held: bool
) -> None:
    """A new CWE, a stronger finding, or as many as before, are all refused."""
    found = no_new_finding([_flaw(*one) for one in before], [_flaw(*one) for one in after])
    assert found.held is held
