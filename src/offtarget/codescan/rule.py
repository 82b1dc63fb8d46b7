"""What every rule declares about itself, in whatever engine it runs."""

from dataclasses import dataclass

from offtarget.core.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of flaw that is looked for. `offtarget explain-rule` prints all of this."""

    id: str
    """`OT-PY-017`: stable, never used again for another flaw."""
    title: str
    """What is wrong, in at most ten words."""
    language: str
    cwe: str
    """`CWE-89`; a rule that finds several kinds names the one of each flaw itself."""
    severity: Severity
    confidence: float
    """In [0, 1], of a flaw found in code that parses as it stands."""
    why: str
    """What an attacker gains, and why it matters in training data; two sentences."""
    bad: str
    """The shortest code that must be found."""
    good: str
    """The same operation done safely; must not be found."""
    literals: tuple[tuple[str, ...], ...] = ()
    """The gate: code that lacks every text of any one group cannot match. `(("md5", "sha1"),)`
    needs one of the two; `(("yaml",), ("load",))` needs both words."""

    def may_match(self, code: str) -> bool:
        """Return whether the code holds a text of every group; False means the rule is silent."""
        return all(any(text in code for text in group) for group in self.literals)
