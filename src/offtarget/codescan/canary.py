"""Canaries: an engine proves on known texts, in the same call as the data, that it really looks.

A broken tool reports every file as clean. So the first and the last snippets of a batch are, for
each of its languages, one text that must be found and one that must be passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Reading, Scanned, Snippet
from offtarget.core.errors import DataError, ResourceError
from offtarget.core.yamlfile import read_yaml

_TABLE = Path(__file__).parent / "data" / "canaries.yaml"
_READ = frozenset({Reading.WHOLE, Reading.REPAIRED, Reading.TOLERANT})
"""Readings that show a working parser."""
_PASSED = _READ | {Reading.SKIPPED}
"""Readings of a known-good text: an engine may see without parsing that no rule can match."""


@runtime_checkable
class BringsCanaries(Protocol):
    """An engine with rules that we do not know, which therefore may bring its own canaries."""

    @property
    def canaries(self) -> Mapping[str, tuple[str, str]]:
        """A known-bad and a known-good text, by language."""


@dataclass(frozen=True, slots=True)
class Canary:
    """What an engine must find and what it must pass, in one language."""

    language: str
    bad: str
    good: str
    is_borrowed: bool = False
    """Whether it is ours although the engine's rules are not: failing it proves nothing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether an engine works for one language."""

    language: str
    failure: str
    """What it did with which canary; empty if it passed."""
    is_unproved: bool = False
    """Whether the failure may be the canary's: nobody knows one that fits the engine's rules."""


@cache
def bundled() -> Mapping[str, Canary]:
    """Return our canaries, by language."""
    entries = read_yaml(_TABLE, what="table of canaries", error=DataError, is_ours=True)
    return MappingProxyType(
        {name: Canary(name, entry["bad"], entry["good"]) for name, entry in entries.items()}
    )


def with_canaries(
    engine: Engine, snippets: Sequence[Snippet], *, allow_unproved: bool = False
) -> list[Scanned]:
    """Return what the engine found in each snippet, once it has proved itself in the same call.

    Args:
        engine: The engine.
        snippets: The batch; its languages decide which canaries are needed.
        allow_unproved: Go on where an engine with the user's rules brings no canary and finds
            nothing in ours; `unproved_languages` tells which languages that concerns.

    Raises:
        ResourceError: If it fails a canary, with the engine, the language and the canary.
    """
    if not snippets:
        return []
    needed = sorted({snippet.language for snippet in snippets})
    found, proofs = _scan(engine, snippets, needed)
    for proof in proofs:
        if proof.failure and not (proof.is_unproved and allow_unproved):
            raise ResourceError(f"{engine.name}: {proof.failure}; {_remedy(engine, proof)}")
    return found


def unproved_languages(engine: Engine) -> tuple[str, ...]:
    """Return the engine's languages for which no canary fits its rules; reports name them.

    Raises:
        ResourceError: If the tool fails.
    """
    _, proofs = _scan(engine, (), sorted(engine.languages))
    return tuple(proof.language for proof in proofs if proof.failure and proof.is_unproved)


def _scan(
    engine: Engine, snippets: Sequence[Snippet], languages: Sequence[str]
) -> tuple[list[Scanned], list[Proof]]:
    """Scan the snippets between canaries of the languages; return answers and proofs."""
    canaries = [_canary(engine, language) for language in languages]
    texts = [
        Snippet(canary.language, text) for canary in canaries for text in (canary.bad, canary.good)
    ]
    last = [Snippet(text.language, text.code + "\n") for text in texts]  # not the same bytes twice
    batch = [*texts, *snippets, *last]
    answers = engine.scan(batch)
    if len(answers) != len(batch):
        raise ResourceError(
            f"{engine.name}: gave {len(answers)} answers for {len(batch)} snippets; "
            "report this as a bug"
        )
    ends = (("first", answers[: len(texts)]), ("last", answers[len(batch) - len(last) :]))
    proofs = [
        _proof(canary, [(place, end[2 * index : 2 * index + 2]) for place, end in ends])
        for index, canary in enumerate(canaries)
    ]
    return answers[len(texts) : len(batch) - len(last)], proofs


def _canary(engine: Engine, language: str) -> Canary:
    """Return the engine's own canary, else ours; an empty one where there is none."""
    is_foreign = isinstance(engine, BringsCanaries)
    if isinstance(engine, BringsCanaries) and language in engine.canaries:
        bad, good = engine.canaries[language]
        return Canary(language, bad, good)
    ours = bundled().get(language, Canary(language, "", ""))
    return Canary(language, ours.bad, ours.good, is_borrowed=is_foreign)


def _proof(canary: Canary, ends: Sequence[tuple[str, Sequence[Scanned]]]) -> Proof:
    """Return whether both canaries were told apart at both ends of the batch."""
    failures = []
    for place, (bad, good) in ends:
        what = f"{canary.language} canary, {place} in the batch"
        if not bad.flaws:
            failures.append(f"found nothing in the known-bad {what}")
        elif bad.reading not in _READ:
            failures.append(f"could not read the known-bad {what}")
        if good.flaws:
            rule = good.flaws[0].rule
            failures.append(f"found {rule} in the known-good {what}")
        elif good.reading not in _PASSED:
            failures.append(f"could not read the known-good {what}")
    return Proof(canary.language, failures[0] if failures else "", canary.is_borrowed)


def _remedy(engine: Engine, proof: Proof) -> str:
    """Say what to do about a failed canary."""
    if proof.is_unproved:
        return (
            "nothing shows that these rules work: put canary.bad.* and canary.good.* files beside "
            "the rules, or allow unproved engines"
        )
    return (
        "its answers cannot be trusted, so nothing is reported: reinstall it, or leave it out "
        f"(version {engine.version})"
    )
