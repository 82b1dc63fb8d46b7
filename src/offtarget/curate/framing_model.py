"""A linear model of framing for prose that no rule settles; its card is `data/framing_model.md`."""

import functools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from offtarget.curate.framing_words import Words

MAX_WORDS = 2_000
"""Words of prose that are read."""
_REASON = "L"
_WANTED = "FAWDBTK"


@dataclass(frozen=True, slots=True)
class FramingModel:
    """Weights of a multinomial logistic regression over present-or-absent features."""

    classes: tuple[str, ...]
    """Names of framings."""
    bias: tuple[float, ...]
    weights: dict[str, tuple[float, ...]]
    """One weight a class."""

    def probabilities(self, words: Words) -> dict[str, float]:
        """Return the probability of each class; they add up to 1."""
        scores = list(self.bias)
        get = self.weights.get
        for feature in features_of(words):
            row = get(feature)
            if row is not None:
                for index, weight in enumerate(row):
                    scores[index] += weight
        top = max(scores)
        exponents = [math.exp(score - top) for score in scores]
        total = sum(exponents)
        return {name: e / total for name, e in zip(self.classes, exponents, strict=True)}

    def telling(self, words: Words, framing: str, *, against: str, count: int) -> list[int]:
        """Return the indices of the words that speak most for one class and against another."""
        plus, minus = self.classes.index(framing), self.classes.index(against)
        gains: dict[int, float] = {}
        seen: set[str] = set()
        for index, (word, letter) in enumerate(zip(words.words, words.letters, strict=True)):
            if word in seen or letter in "|:":
                continue
            seen.add(word)
            rows = [self.weights.get(f"w:{word}"), self.weights.get(f"c:{letter}")]
            gains[index] = sum(row[plus] - row[minus] for row in rows if row is not None)
        best = sorted(gains, key=lambda index: (-gains[index], index))[:count]
        return sorted(index for index in best if gains[index] > 0.0)


def features_of(words: Words) -> set[str]:
    """Return the features that are present: words, concepts, runs of concepts, reason with flaw.

    A run is two or three concepts that follow one another, whatever plain words stand between.
    """
    return set(_features(words))


@functools.cache
def load_model() -> FramingModel:
    """Return the packaged model."""
    file = resources.files("offtarget.curate").joinpath("data/framing_model.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    return FramingModel(
        classes=tuple(data["classes"]),
        bias=tuple(data["bias"]),
        weights={feature: tuple(row) for feature, row in data["weights"].items()},
    )


def _features(words: Words) -> Iterator[str]:
    letters = words.letters[:MAX_WORDS]
    for word in words.words[:MAX_WORDS]:
        yield f"w:{word}"
    for letter in set(letters):
        yield f"c:{letter}"
    run = letters.replace(".", "").replace(":", "")
    for start in range(len(run) - 1):
        yield f"g:{run[start : start + 2]}"
        yield f"g:{run[start : start + 3]}"
    if _REASON in letters:
        for letter in _WANTED:
            if letter in letters:
                yield f"x:{_REASON}{letter}"
