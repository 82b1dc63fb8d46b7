"""An engine that does not really look is found out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from offtarget.codescan.canary import bundled, unproved_languages, with_canaries
from offtarget.codescan.engines.ruff import RuffEngine
from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet
from offtarget.codescan.language import Language
from offtarget.core.errors import ResourceError
from offtarget.core.finding import Severity

DATA = [Snippet(Language.PYTHON, "eval(text)"), Snippet(Language.PYTHON, "total = 1 + 1")]
READ_BY_ENGINES = {
    "python", "c", "cpp", "csharp", "go", "java", "javascript", "typescript", "php", "ruby", "rust",
}  # fmt: skip


class Blind(RuffEngine):
    """ruff with every rule switched off: it reads and finds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._entries = {}


class Suspicious(RuffEngine):
    """Finds a flaw in everything."""

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        flaw = Flaw("X1", "CWE-20", Severity.LOW, 0.5, "ruff", 0, 0, "something")
        return [Scanned(Reading.WHOLE, (flaw,)) for _ in snippets]


class Tiring(RuffEngine):
    """Stops to look after a few snippets."""

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        seen = super().scan(snippets)
        return seen[:3] + [Scanned(Reading.WHOLE) for _ in seen[3:]]


class Illiterate(RuffEngine):
    """Says of everything that it could not be read, and still finds what it should."""

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        return [replace(seen, reading=Reading.UNPARSED) for seen in super().scan(snippets)]


class Forgetful(RuffEngine):
    """Loses an answer."""

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        return super().scan(snippets)[1:]


class Foreign(RuffEngine):
    """Has rules that we do not know: they find one word, and nothing in our canaries."""

    def __init__(self, canaries: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self.canaries = canaries

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        flaw = Flaw("X1", "CWE-20", Severity.LOW, 0.5, "ruff", 0, 0, "something")
        return [
            Scanned(Reading.TOLERANT, (flaw,) if "rare_word" in snippet.code else ())
            for snippet in snippets
        ]


def test_a_working_engine_answers_for_the_data_only() -> None:
    """The canaries' own findings are not among the answers, and the order is kept."""
    first, second = with_canaries(RuffEngine(), DATA)
    assert [flaw.rule for flaw in first.flaws] == ["S307"]
    assert second == Scanned(Reading.WHOLE)


def test_an_empty_batch_needs_no_proof() -> None:
    """No engine is started for nothing."""
    assert with_canaries(Blind(), []) == []


def test_an_engine_that_finds_nothing_fails_the_scan() -> None:
    """Silence is told from cleanness."""
    message = r"ruff: found nothing in the known-bad python canary, first .*; .*reinstall it"
    with pytest.raises(ResourceError, match=message):
        with_canaries(Blind(), DATA)


def test_an_engine_that_finds_everything_fails_the_scan() -> None:
    """A rule that always fires proves nothing either."""
    with pytest.raises(ResourceError, match=r"ruff: found X1 in the known-good python canary"):
        with_canaries(Suspicious(), DATA)


def test_an_engine_that_gives_up_half_way_fails_the_scan() -> None:
    """The canaries at the end of the batch are read as well."""
    with pytest.raises(ResourceError, match=r"known-bad python canary, last in the batch"):
        with_canaries(Tiring(), DATA)


def test_an_engine_that_cannot_read_a_canary_fails_the_scan() -> None:
    """A known text that does not parse shows a broken parser."""
    with pytest.raises(ResourceError, match=r"could not read the known-bad python canary"):
        with_canaries(Illiterate(), DATA)


def test_a_lost_answer_fails_the_scan() -> None:
    """Answers are never matched to the wrong snippets."""
    with pytest.raises(ResourceError, match=r"gave 5 answers for 6 snippets; report this"):
        with_canaries(Forgetful(), DATA)


def test_rules_of_a_user_need_a_canary_that_fits_them() -> None:
    """Ours says nothing about rules that look for something else, unless the user goes on."""
    engine = Foreign({})
    with pytest.raises(ResourceError, match=r"put canary.bad.\* and canary.good.\* files beside"):
        with_canaries(engine, DATA)
    assert len(with_canaries(engine, DATA, allow_unproved=True)) == len(DATA)
    assert unproved_languages(engine) == ("python",)


def test_rules_of_a_user_are_proved_by_the_users_canary() -> None:
    """Found in the bad text and not in the good one, at both ends."""
    engine = Foreign({"python": ("rare_word()", "other()")})
    assert len(with_canaries(engine, DATA)) == len(DATA)
    assert unproved_languages(engine) == ()


def test_a_users_canary_that_fails_is_never_allowed() -> None:
    """Permission to go on unproved does not cover a proof that failed."""
    engine = Foreign({"python": ("other()", "another()")})
    with pytest.raises(ResourceError, match=r"found nothing in the known-bad python canary"):
        with_canaries(engine, DATA, allow_unproved=True)


def test_there_is_a_canary_for_each_language_that_engines_read() -> None:
    """And the two texts of a language differ."""
    assert set(bundled()) == READ_BY_ENGINES
    for language, canary in bundled().items():
        assert canary.language == language
        assert canary.bad.strip() != canary.good.strip() != ""
