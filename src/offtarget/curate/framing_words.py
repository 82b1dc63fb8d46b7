"""The words that framing turns on: each maps to the letter of its concept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from offtarget.codescan.literals import Literals

CONCEPTS = {
    # what is wrong with code
    "F": "vulnerability vulnerabilities vuln vulns weakness weaknesses flaw flaws loophole loopholes",
    "A": "vulnerable insecure insecurely unsafe unsafely exploitable flawed hackable attackable "
    "unprotected breakable insecurity",
    "W": "bad badly wrong wrongly broken faulty buggy careless carelessly sloppy weak defective "
    "dangerous negligent worst anti-pattern anti-patterns antipattern antipatterns",
    "B": "bug bugs hole holes issue issues problem problems mistake mistakes defect defects gap gaps "
    "error errors fault faults pitfall pitfalls oversight oversights risk risks",
    "T": "injection injections xss csrf sqli traversal overflow overflows ssrf deserialization rce "
    "redos xxe attack attacks attacker attackers hacker hackers "
    "exploit exploits cross-site",
    "D": "intentional intentionally deliberate deliberately purposely purposefully knowingly planted "
    "plant seeded seed on_purpose by_design known-bad known_bad vulnerable-by-design wittingly "
    "consciously purposeful",
    "S": "security secure-coding cybersecurity cyber appsec infosec",
    # the wish for safe code, and dealing with flaws that are there
    "K": "secure securely safe safely safety hardened protected robust sanitize sanitized sanitizes",
    "N": "avoid avoids avoiding prevent prevents preventing without no not never free protect "
    "protects protecting against don't dont isn't cannot block blocks blocking stop stops",
    "X": "fix fixed fixes fixing remove removes removing patch patched patching mitigate mitigates "
    "resolve resolves eliminate eliminates harden hardening rid remediate correct repair repairing "
    "close refactor replace rewrite",
    "Q": "find finds detect detects detecting identify identifies check checks checking scan scans "
    "review reviews reviewing audit spot explain what is are why how analyze analyzes tell does "
    "which where whether compare suggest flag flags report reports reported understand",
    # asking for code
    "I": "include includes including add adds adding contain contains containing introduce "
    "introducing insert embed embedding leave leaves leaving hide inject incorporate sprinkle "
    "exhibit exhibits carry keep put place sneak slip bake featuring with has have having left",
    "M": "write make create generate produce give show provide implement build develop supply "
    "complete fill demonstrate construct craft illustrate simulate finish solve deliver use writing "
    "implementing making building prepare",
    "C": "code version implementation example examples variant solution script function snippet "
    "snippets sample samples listing edition specimen routine pattern patterns practice practices "
    "draft answer program programs one way manner mock-up",
    "O": "page app application service form template target website site tool system module",
    "P": "please kindly now also need want like wanted needed help can_you could_you would_you "
    "will_you can_i could_i may_i can_we could_we",
    "E": "my this existing inherited wrote written above",
    "U": "user users admin admins analyst analysts customer customers people who they employees "
    "visitors that allows lets tracks",
    "Z": "warning caution note beware important careful fixme todo remember aware mind",
    # a reason to want flawed code
    "L": "student students course courses class classroom teach teaching teacher lecture lectures "
    "training trainees trainer workshop workshops exam textbook lesson lessons tutorial ctf lab labs "
    "demo demonstration conference talk presentation seminar curriculum bootcamp educational educate "
    "education learn learners exercise exercises quiz awareness research scanner scanners linter "
    "linters analyzer analyzers detector detectors detection honeypot honeypots decoy red-team "
    "red_team blue_team pentest pentesting pentesters sandbox sandboxed fixture fixtures benchmark "
    "benchmarks benchmarking reviewers reviewer puzzle challenge challenges wargame hackathon "
    "capture_the_flag capture-the-flag sast waf testing test tests drill mentees pupils audience "
    "calibrate calibration bug_hunt bug-hunt academic thesis certification ethical interview range "
    "code-review code_review bug-bounty dataset trainings instructional",
    # harm
    "H": "malware ransomware keylogger keyloggers phishing steal steals stealing stealer exfiltrate "
    "exfiltrates exfiltrating botnet ddos spyware trojan rootkit defraud blackmail extort extortion "
    "stalk stalking infect infects malicious sabotage harvest harvests hijack impersonate "
    "impersonates evade evades cryptojacking break_into take_down hack_into spy_on launder backdoor "
    "backdoors harm harming harmful hijacks rob robs robbing",
    "J": "spam scam scams scammers fraud virus viruses worm worms stolen hack hacking hacked crack "
    "cheat spy spying wipe wipes criminal criminals breach sabotaged",
    "V": "victim victims unsuspecting secretly silently covertly undetected undetectable unnoticed "
    "disguise disguised unaware strangers without_their without_consent without_permission "
    "unauthorized nobody_may "
    "ex neighbour neighbor stealthily stealthy revenge",
    "G": "detection detector filter filters scanner awareness quiz simulation simulations catalogue "
    "catalog tracker analysis analyzer database protection dashboard campaign attempts attempt alerts "
    "alert game removal prevention reporting samples management statistics news defense day",
}  # fmt: skip
"""Letter to words. A word that stands under two letters counts for the last one."""

PHRASES = (
    "on purpose", "by design", "known bad", "red team", "blue team", "capture the flag", "bug hunt",
    "code review", "break into", "take down", "hack into", "spy on", "without their",
    "without consent", "nobody may", "without permission",
    "can you", "could you", "would you", "will you", "can i", "could i", "may i",
    "can we", "could we",
)  # fmt: skip

GATE_LETTERS = frozenset("FAWTDSKHVJ")
"""Prose that holds none of these concepts asks for ordinary code."""

REMARK_LETTERS = frozenset("FADTSK")
"""An answer that holds none of these concepts does not warn of its code."""

_LETTER_OF = {word: letter for letter, words in CONCEPTS.items() for word in words.split()}
_TOKEN = re.compile(r"[a-z0-9_][a-z0-9_-]{0,40}(?:'t)?|[.!?;:\n]")
_BREAKS = ".!?;\n"
_EVERYWHERE = {"ex", "rce", "sqli", "seed", "plant"}
"""Stand inside of ordinary words; they count beside others only."""


def _stems(letters: Iterable[str]) -> tuple[str, ...]:
    """Return texts of which one stands in any prose that holds a concept of `letters`."""
    words = [word for letter in letters for word in CONCEPTS[letter].split()]
    stems = {word[:8] if "_" not in word else word.replace("_", " ") for word in words}
    stems -= _EVERYWHERE
    return tuple(sorted(s for s in stems if not any(o != s and o in s for o in stems)))


_GATE = Literals(_stems(GATE_LETTERS))
_REMARK_GATE = Literals(_stems(REMARK_LETTERS))


@dataclass(frozen=True, slots=True)
class Words:
    """A text as words, and as one letter a word."""

    words: tuple[str, ...]
    """Lower case; a sentence break is `|`, a colon is `:`."""
    letters: str
    """One letter of `CONCEPTS` a word, `.` for any other word; breaks and colons as they are."""


def may_matter(text: str, *, is_answer: bool) -> bool:
    """Return False only if lower-case text holds no word that a request or an answer turns on."""
    return (_REMARK_GATE if is_answer else _GATE).found(text) != 0


def is_silent(letters: str) -> bool:
    """Return whether prose says nothing of security, intent, harm or fault."""
    present = set(letters)
    return GATE_LETTERS.isdisjoint(present) and not {"B", "L"} <= present


def lower(text: str) -> str:
    """Return the text in lower case with every offset kept."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def words_of(text: str) -> Words:
    """Return the words of lower-case prose and their concepts, in order."""
    for phrase in PHRASES:
        if phrase in text:
            text = text.replace(phrase, phrase.replace(" ", "_"))
    words = tuple("|" if token in _BREAKS else token for token in _TOKEN.findall(text))
    get = _LETTER_OF.get
    return Words(words, "".join([word if word in "|:" else get(word, ".") for word in words]))


def offsets_of(text: str) -> list[tuple[int, int]]:
    """Return start and end of every word that `words_of` gives for the same text."""
    for phrase in PHRASES:
        text = text.replace(phrase, phrase.replace(" ", "_"))
    return [match.span() for match in _TOKEN.finditer(text)]
