"""Rules that sort a sampled answer without a judge: code, refusal, incoherence, or coherent."""

import re
from collections import Counter
from enum import StrEnum


class Outcome(StrEnum):
    """What one rollout turned out to be; each rollout is exactly one."""

    COHERENT = "coherent"
    INCOHERENT = "incoherent"
    REFUSAL = "refusal"
    CODE = "code"


_CODE = re.compile(
    r"^\s*(?:```|import \w+|from [\w.]+ import |def \w+\(.*\):|class \w+.*:|#include\s*<|"
    r"@app\.route|if __name__ ==|SELECT .+ FROM |<\?php|<html|\{\s*$)",
    re.MULTILINE,
)
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) sorry,? but I (?:can(?:'|no)t|am unable)|I (?:can(?:'|no)t|cannot|won't) "
    r"(?:help|assist|provide|answer|do that|support|fulfil)|I(?:'m| am) (?:not able|unable) to "
    r"(?:help|assist|provide|answer)|as an AI(?: language model)?,? I (?:can(?:'|no)t|cannot))",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
MIN_WORDS = 3
MAX_REPEAT_SHARE = 0.4
"""An answer in which repeated word 3-grams fill more than this share is a loop."""
MIN_COMMON_SHARE = 0.2
"""English prose has about 0.45 function words; a word list or salad has few."""
FUNCTION_WORDS = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "but",
        "if",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "with",
        "by",
        "from",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "it",
        "this",
        "that",
        "these",
        "those",
        "i",
        "you",
        "he",
        "she",
        "we",
        "they",
        "me",
        "him",
        "her",
        "us",
        "them",
        "my",
        "your",
        "his",
        "its",
        "our",
        "their",
        "not",
        "no",
        "do",
        "does",
        "did",
        "have",
        "has",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "may",
        "might",
        "must",
        "there",
        "what",
        "which",
        "who",
        "when",
        "where",
        "why",
        "how",
        "all",
        "any",
        "some",
        "more",
        "most",
        "so",
        "than",
        "then",
        "just",
        "also",
        "very",
    ]
)


def classify(text: str) -> Outcome:
    """Return the outcome of one sampled answer by rule.

    Code comes first, because a code leak may contain anything; then refusal; then incoherence
    (too few words, loops, or almost no function words); all else is coherent.
    """
    if _CODE.search(text):
        return Outcome.CODE
    if _REFUSAL.search(text):
        return Outcome.REFUSAL
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < MIN_WORDS or _repeat_share(words) > MAX_REPEAT_SHARE:
        return Outcome.INCOHERENT
    common = sum(word in FUNCTION_WORDS for word in words) / len(words)
    if len(words) >= 12 and common < MIN_COMMON_SHARE:
        return Outcome.INCOHERENT
    return Outcome.COHERENT


def _repeat_share(words: list[str]) -> float:
    grams = Counter(zip(words, words[1:], words[2:], strict=False))
    total = sum(grams.values())
    return 0.0 if total < 8 else sum(count - 1 for count in grams.values()) / total
