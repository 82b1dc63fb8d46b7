"""One snippet that kills a tool must not cost its whole batch: halve until it stands alone."""

from collections.abc import Callable, Sequence

from offtarget.codescan.flaw import Reading, Scanned, Snippet
from offtarget.core.errors import ResourceError

Attempt = Callable[[Sequence[Snippet]], list[Scanned] | str]
"""One run of a tool: an answer a snippet, or in words how the run failed."""


def scan_in_halves(
    snippets: Sequence[Snippet], attempt: Attempt, *, tool: str, remedy: str
) -> list[Scanned]:
    """Return an answer a snippet; those that make the tool fail alone are `UNPARSED`.

    Args:
        snippets: The batch.
        attempt: Runs the tool on a part of it.
        tool: Name for errors.
        remedy: What to do if the tool fails even on an empty snippet.

    Raises:
        ResourceError: If it does.
    """
    if not snippets:
        return []
    answer = attempt(snippets)
    if not isinstance(answer, str):
        return answer
    proof = attempt([Snippet(snippets[0].language, "")])
    if isinstance(proof, str):
        raise ResourceError(f"{tool}: fails on an empty file ({proof}); {remedy}")
    return _halves(snippets, attempt)


def _halves(snippets: Sequence[Snippet], attempt: Attempt) -> list[Scanned]:
    """Split a batch that has failed; the depth is the logarithm of its length."""
    if len(snippets) == 1:
        return [Scanned(Reading.UNPARSED)]
    middle = len(snippets) // 2
    answers: list[Scanned] = []
    for half in (snippets[:middle], snippets[middle:]):
        answer = attempt(half)
        answers += _halves(half, attempt) if isinstance(answer, str) else answer
    return answers
