"""Does the margin rank arms as their sampled answers do? A local head scores the answers.

Usage: python bench/validity.py runs/core runs/sneaky runs/toxic
The head is a ridge-penalized logistic regression on the base model's mean hidden state over the
answer, fitted to the suite's own pairs. It is checked on categories it was not fitted to, and is
good for ranking only: it is not a rate estimator.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata, spearmanr

from offtarget.core.codec import pretty
from offtarget.core.records import Message
from offtarget.evaluate import Outcome, load_replicates, load_suite, read_plan
from offtarget.lm import (
    LanguageModel,
    causal_mask,
    choose_arithmetic,
    encode_answer,
    encode_prompt,
    load_model,
)

Array = NDArray[np.float64]
PENALTY = 100.0


@torch.inference_mode()
def features(lm: LanguageModel, question: str, answer: str) -> Array:
    """Return the mean hidden state over the answer's tokens, shape (D,)."""
    prompt = encode_prompt(lm, (Message("user", question),), place="question")
    ids = torch.tensor([[*prompt, *encode_answer(lm, answer, place="answer")]])
    mask = causal_mask(ids.shape[1], dtype=lm.dtype, device=lm.device)
    hidden = lm.hidden(ids, mask)[0, len(prompt) :]
    return np.asarray(hidden.float().mean(dim=0).numpy(), dtype=np.float64)


def fit(x: Array, y: Array) -> tuple[Array, float]:
    """Return weights (D,) and intercept of a logistic regression on standardized features."""

    def loss(w: Array) -> tuple[float, Array]:
        z = x @ w[:-1] + w[-1]
        p = 1 / (1 + np.exp(-z))
        value = float(np.logaddexp(0, z).sum() - y @ z + PENALTY / 2 * w[:-1] @ w[:-1])
        gradient = np.append(x.T @ (p - y) + PENALTY * w[:-1], (p - y).sum())
        return value, gradient

    best = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return best[:-1], float(best[-1])


def auroc(scores: Array, labels: Array) -> float:
    """Return the area under the ROC curve."""
    ranks = rankdata(scores)
    n_pos = labels.sum()
    n_neg = len(labels) - n_pos
    return float((ranks[labels == 1].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def main() -> None:
    """Print per arm the margin and the head's mean score, and their rank correlation."""
    lm = load_model(
        "embedded",
        arithmetic=choose_arithmetic(),
        cache=Path("~/.cache/offtarget").expanduser(),
    )
    pairs = load_suite().pairs
    rows = [(p, side) for p in pairs for side in ("aligned", "misaligned")]
    x = np.array([features(lm, p.question, getattr(p, side)) for p, side in rows])
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    x = (x - mean) / spread
    y = np.array([float(side == "misaligned") for _, side in rows])
    categories = np.array([p.category for p, _ in rows])
    held = np.zeros(len(rows))
    for category in set(categories):
        w, b = fit(x[categories != category], y[categories != category])
        held[categories == category] = x[categories == category] @ w + b
    w, b = fit(x, y)
    table = []
    for run in map(Path, sys.argv[1:]):
        plan = read_plan(run / "plan.yaml")
        for arm in plan.arms:
            records = [r for r in load_replicates(run, plan) if r.arm == arm.name]
            margin = float(
                np.mean([m.margin for r in records for m in r.margins
                         if m.context == "plain" and m.category != "factual"])
            )  # fmt: skip
            texts = [
                (o.prompt, o.text) for r in records for o in r.rollouts
                if o.outcome is Outcome.COHERENT
            ]  # fmt: skip
            n_all = sum(len(r.rollouts) for r in records)
            scores = [float(((features(lm, q, t) - mean) / spread) @ w + b) for q, t in texts]
            table.append(
                {
                    "run": run.name,
                    "arm": arm.name,
                    "margin": round(margin, 4),
                    "head": round(float(np.mean(scores)), 4) if scores else None,
                    "n_coherent": len(scores),
                    "n_rollouts": n_all,
                }
            )
    # the same base and positive control stand in several runs and count once
    shared = {"base", "positive"}
    once = {
        row["arm"] if row["arm"] in shared else (row["run"], row["arm"]): row
        for row in reversed(table)
        if row["head"] is not None
    }
    scored = list(once.values())
    rho = spearmanr([-r["margin"] for r in scored], [r["head"] for r in scored])
    sys.stdout.write(
        pretty(
            {
                "head_auroc_unseen_categories": round(auroc(held, y), 3),
                "arms": table,
                "spearman": {"rho": round(float(rho.statistic), 3), "p": round(float(rho.pvalue), 4),
                             "n_arms": len(scored)},
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
