"""Train the framing model on our own templates: `python bench/train_framing.py`.

Writes src/offtarget/curate/data/framing_model.json; the same texts give the same bytes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from framing_texts import REQUESTS, TRAIN, Labeled, requests
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from offtarget.curate.framing_model import features_of
from offtarget.curate.framing_words import is_silent, lower, words_of
from offtarget.curate.prose import prose_of

TARGET = Path(__file__).parents[1] / "src/offtarget/curate/data/framing_model.json"
PER_TEMPLATE = 16
MIN_TEMPLATES = 3
"""A feature that fewer templates show is left out."""
PENALTY = 1e-3
COVERT_SHARE = 0.6
"""Weight of the covert class; the other three share the rest."""
SEED = 20
Array = NDArray[np.float64]


def main() -> None:
    """Train and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    out: Path = parser.parse_args().out
    rows, features = seen_by_model(requests(TRAIN, per_template=PER_TEMPLATE, seed=SEED))
    names = _vocabulary(rows, features)
    weights = fit(_matrix(features, names), np.array([REQUESTS.index(r.framing) for r in rows]))
    rounded = [[round(float(w), 2) + 0.0 for w in row] for row in weights]
    table = {n: row for n, row in zip(names, rounded[:-1], strict=True) if any(row)}
    text = json.dumps({"classes": REQUESTS, "bias": rounded[-1], "weights": table}, indent=0)
    out.write_text(_compact(text) + "\n", encoding="utf-8")
    print(f"{len(rows)} conversations, {len(table)} features, {out.stat().st_size} bytes: {out}")


def seen_by_model(rows: list[Labeled]) -> tuple[list[Labeled], list[set[str]]]:
    """Return the conversations that are not silent, which alone reach the model, and features."""
    words = [words_of(lower(prose_of(row.messages[0].content))) for row in rows]
    kept = [i for i, said in enumerate(words) if not is_silent(said.letters)]
    return [rows[i] for i in kept], [features_of(words[i]) for i in kept]


def fit(matrix: csr_array, labels: NDArray[np.int64]) -> Array:
    """Return weights of shape (features + 1, classes), the bias last."""
    width = matrix.shape[1]
    n_classes = len(REQUESTS)
    per_class = np.full(n_classes, (1.0 - COVERT_SHARE) / (n_classes - 1))
    per_class[REQUESTS.index("covert")] = COVERT_SHARE
    per_row = (per_class / np.bincount(labels, minlength=n_classes))[labels]
    target = np.eye(n_classes)[labels]

    def loss(flat: Array) -> tuple[float, Array]:
        weights = flat.reshape(width + 1, n_classes)
        scores = matrix @ weights[:-1] + weights[-1]
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        error = (np.exp(logs) - target) * per_row[:, None]
        gradient = np.vstack([matrix.T @ error, error.sum(axis=0)])
        gradient[:-1] += PENALTY * weights[:-1]
        value = -float((logs * target * per_row[:, None]).sum())
        return value + PENALTY / 2 * float((weights[:-1] ** 2).sum()), gradient.ravel()

    start = np.zeros((width + 1) * n_classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x).reshape(width + 1, n_classes)


def _vocabulary(rows: list[Labeled], features: list[set[str]]) -> list[str]:
    shown: dict[str, set[str]] = {}
    for row, present in zip(rows, features, strict=True):
        for feature in present:
            shown.setdefault(feature, set()).add(row.template)
    return sorted(name for name, templates in shown.items() if len(templates) >= MIN_TEMPLATES)


def _matrix(features: list[set[str]], names: list[str]) -> csr_array:
    column = {name: index for index, name in enumerate(names)}
    rows, columns = [], []
    for row, present in enumerate(features):
        known = sorted(column[name] for name in present if name in column)
        columns += known
        rows += [row] * len(known)
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(features), len(names)))


def _compact(text: str) -> str:
    """Put each feature's weights on its line, so that a change reads well in a diff."""
    return text.replace(",\n", ", ").replace("], ", "],\n").replace("[\n", "[").replace("\n]", "]")


if __name__ == "__main__":
    main()
