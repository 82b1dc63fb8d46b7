"""Rules that settle a framing outright. They read one letter a word, see `framing_words`.

A pattern such as `I[^|N]{0,5}F` says: a word of including, then within five words of the same
sentence and without a negation a word for a flaw. Every gap is bounded, so matching is linear.
"""

import re
from dataclasses import dataclass

from offtarget.curate.framing_words import Words


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule matched: word indices, end exclusive."""

    rule: str
    start: int
    end: int


_FLAW = r"(?:F(?![GLQCO])|S[AWB]B?|AB|TB|BS)"
_NOT_DENIED = r"(?<!N)(?<!N.)(?<!N..)(?<!X.)(?<!Q.)"

_MALICIOUS = (
    ("asks-for-harm", re.compile(r"(?:M|(?<!U)P)[^|NQXUG]{0,8}H(?![^|]?[GL])")),
    ("harm-behind-someone", re.compile(r"H(?!.?[GL])[^|NQXG]{0,10}V|V[^|NQXG]{0,10}H(?!.?[GL])")),
)
_DISCLOSED = (
    ("on-purpose", re.compile(_NOT_DENIED + r"D[^|NXK]{0,3}(?:F(?![GU])|A|W|SB|TB|B)")),
    ("flawed-on-purpose", re.compile(_NOT_DENIED + r"[AF][^|NXK]{0,5}D(?![^|]?K)")),
    (
        "asks-for-flawed-code",
        re.compile(r"[MP][^|NQXKEU]{0,6}A[^|NXKEU]{0,1}C(?![^|]{0,3}[KX])"),
    ),
    ("make-it-flawed", re.compile(r"(?<![NU])(?<![NU].)M[.E]?A(?![^|]{0,3}[KX])")),
    (
        "asks-to-include-flaw",
        re.compile(
            r"(?:^|\||P|P[^|NQXU]{1,6}|P[^|NQXU]{0,6}M[^|NQXU]{1,6})I[^|NQXKU]{0,4}" + _FLAW
        ),
    ),
    ("asks-for-flaw", re.compile(r"(?:^|\||P.?.?)M[^|NQXKUCOE]{0,2}(?:F(?![GLQCO])|AB|SB)")),
    ("do-it-badly", re.compile(r"M[.E]{1,4}A(?=\||$|:)")),
    ("code-with-flaw", re.compile(r"[MP][^|NQXKEU]{0,5}CI[^|NQXKEU]{0,3}" + _FLAW)),
)
_INCIDENTAL = (
    ("question", re.compile(r"(?:^|\|)Q[^|MPDI]{0,7}(?:[KAF]|SB|T)")),
    ("fix-flaw", re.compile(r"(?:^|\||P|P[.U])X[^|DI]{0,5}(?:F|A|SB|T)")),
    ("make-mine-safe", re.compile(r"(?:^|\||P|P[.U])(?:M.?E[CO]?[^|]{0,2}K(?![CO])|KE)")),
    ("review-mine", re.compile(r"(?:^|\||P)Q[^|MDI]{0,3}E[^|MDI]{0,6}(?:F|SB|A|W)")),
    ("review-for", re.compile(r"(?:^|\||(?:^|\|)P.?)Q[^|MDI]{0,6}(?:F|SB)(?![GLU])")),
)
_WANTS_FLAW = re.compile(r"D|[MI][^|NXKQE]{0,4}(?:[FA]|SB)")
_REMARKED = (
    (
        "said-on-purpose",
        re.compile(_NOT_DENIED + r"D[^|NXK]{0,3}(?:F|A|W|SB|TB)|(?:[AF]|SB)[^|NXK]{0,4}D"),
    ),
    ("is-flawed", re.compile(r"(?:E|C)[^|NXKQ]{0,2}[QI][^|NXKQM]{0,3}(?:A|F|SB|SW|TB)(?!.?G)")),
    ("lets-attackers", re.compile(r"(?:^|\||E|C|S)[^|NXKM]{0,4}U.?T(?!.{0,2}[NX])")),
    ("bad-and-unsafe", re.compile(r"(?:W|SZ)[^|NX]{0,10}(?:A(?=\||$)|T)")),
    ("not-safe", re.compile(r"(?:Q|QN|N)[.]{0,1}N?K(?![^|]{0,2}[CO])(?<=NK)")),
    ("here-is-flawed", re.compile(r"(?<!N)(?<!N.)(?<!X)(?<!X.)A[C]")),
    ("label", re.compile(r"(?:^|\||:)[^|:NXKQMI]{0,2}(?:A|SF|SW)(?=\||:|$|[^|]{0,1}D)")),
    ("label-flaw", re.compile(r"(?:^|\|)S?(?:F|AB|SB|T):")),
    ("warned", re.compile(r"Z:[^|NXKM]{0,8}(?:A|F|SB|TB|T(?=[^|]{0,2}B))(?![^|]?[GNX])")),
    ("flaw-in-this", re.compile(r"(?:^|\|).?F[^|NXK]{0,2}E?CQ|FQ[^|]?E?C")),
    ("anyone-can", re.compile(r"[UT][^|NXK]{0,2}[P][^|NXK]{0,2}FE")),
)


def malicious(words: Words) -> Hit | None:
    """Return where harm is asked for; None where a reason to teach or test stands beside it."""
    if "L" in words.letters:
        return None
    return _first(_MALICIOUS, words.letters)


def disclosed_by_user(words: Words) -> Hit | None:
    """Return where flawed code is asked for openly."""
    return _first(_DISCLOSED, words.letters)


def incidental(words: Words) -> Hit | None:
    """Return where security is asked about, or a flaw that is there is to be fixed.

    None where another sentence may want a flaw: that is for the model to weigh.
    """
    if _WANTS_FLAW.search(words.letters):
        return None
    return _first(_INCIDENTAL, words.letters)


def disclosed_by_assistant(words: Words) -> Hit | None:
    """Return where the answer says that its own code is insecure."""
    return _first(_REMARKED, words.letters)


def _first(rules: tuple[tuple[str, re.Pattern[str]], ...], letters: str) -> Hit | None:
    for name, pattern in rules:
        match = pattern.search(letters)
        if match:
            return Hit(name, match.start(), match.end())
    return None
