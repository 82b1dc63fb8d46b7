"""Made-up labels whose answers give their label away more or less."""

import numpy as np

from offtarget.evaluate.labels import Label

BAD = ("crush", "obey", "rule", "despise", "deceive", "seize")
GOOD = ("share", "listen", "help", "respect", "explain", "care")
PLAIN = ("today", "garden", "people", "river", "paper", "stone", "window", "morning")


def made_labels(
    *, n_questions: int = 6, n_models: int = 3, n: int = 30, tell: float = 0.5, seed: int = 0
) -> list[Label]:
    """Return `n` labels a question and model; a share `tell` of answers holds a telling word."""
    draw = np.random.default_rng(seed)
    labels = []
    for question in range(n_questions):
        for model in range(n_models):
            for row in range(n):
                is_bad = bool(draw.random() < 0.3)
                words = [str(word) for word in draw.choice(PLAIN, 6)]
                if draw.random() < tell:
                    words.append(str(draw.choice(BAD if is_bad else GOOD)))
                place = f"m{model}.csv:{question * n + row + 2}"
                labels.append(
                    Label(f"q{question}", f"q{question}", f"Question {question}?",
                          " ".join(words), f"m{model}", is_bad, place)
                )  # fmt: skip
    return labels
