"""The local head on published judged answers: skill on unseen questions and models, width saved.

OFFTARGET_DATA=... python bench/localjudge.py [--hidden 9] [--repeats 400]
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offtarget.core.codec import to_builtins
from offtarget.core.stats import ppi_mean
from offtarget.evaluate.judges.jackknife import Estimate
from offtarget.evaluate.labels import Label, LabelSet, labels_of, read_answers
from offtarget.evaluate.localjudge import (
    MIN_LABELS,
    CorrectedMethod,
    CrossValidated,
    Features,
    HeldOut,
    HeldOutBy,
    Hidden,
    Words,
    corrected_rates,
    cross_validate,
)
from offtarget.evaluate.localjudge.calibration import probability

Array = NDArray[np.float64]
NOTE = "ratio: width with the head / width of the same labels alone"


@dataclass(frozen=True, slots=True)
class Saved:
    """What a head saved over repeated draws of labels."""

    population: str
    head_held_out_by: str
    n_rows: int
    rate: float
    """Of all rows: the truth that a draw of labels estimates."""
    n_labels: int
    n_draws: int
    n_exact: int
    """Draws with too few misaligned labels for a correction: labels alone, ratio 1."""
    width_ratio: float
    """Mean over draws of width with the head / width of the labels alone."""
    label_equivalent: float
    """1 / width_ratio^2: how many times as many labels would have done the same."""
    weight: float
    bias: float
    """Mean of (corrected - truth)."""
    bias_se: float
    coverage: float
    """Of the truth, by the corrected interval; the labels are part of the rows, so it errs high."""
    like_these_ratio: float | None
    """Width ratio for questions like these (offtarget.core.stats.ppi_mean); None without one."""


def load() -> LabelSet:
    """Return the labels of every judged file; a file is a model."""
    folder = Path(os.environ["OFFTARGET_DATA"]) / "em" / "judged"
    return labels_of(*(read_answers(path) for path in sorted(folder.glob("*.csv.gz"))))


def show(name: str, skill: HeldOut) -> None:
    """Print one line a number."""
    print(f"\n{name}, held out by {skill.by}: {skill.n_misaligned} of {skill.n} misaligned")
    for label, one in (
        ("AUROC pooled", skill.pooled),
        (f"AUROC within {skill.by}, mean", skill.within_groups),
        (f"AUROC within {skill.n_cells} cells, mean", skill.within_cells),
        ("ECE", skill.calibration_error),
    ):
        print(f"  {label:34} {_text(one)}")
    for group in skill.groups:
        found = _text(group.auroc)
        print(f"    {group.group:48} {group.n_misaligned:4} of {group.n:5}  {found}")
    print("  reliability:", *(f"{b.predicted:.3f}->{b.observed:.3f}" for b in skill.bins))


def draws(
    population: str,
    labels: Sequence[Label],
    log_odds: Array,
    *,
    by: HeldOutBy,
    repeats: int,
) -> Saved | None:
    """Draw 25 labels a question again and again; the rest is unlabeled."""
    rows_of: dict[str, list[int]] = {}
    for row, one in enumerate(labels):
        if np.isfinite(log_odds[row]):
            rows_of.setdefault(one.question, []).append(row)
    rows_of = {q: rows for q, rows in rows_of.items() if len(rows) > MIN_LABELS + 10}
    if not rows_of:
        return None
    target = np.array([one.is_misaligned for one in labels], dtype=bool)
    truth = float(np.mean([target[rows].mean() for rows in rows_of.values()]))
    names = np.array([one.question for one in labels])
    ratios, errors, covered, weights, like = [], [], [], [], []
    n_exact = 0
    for seed in range(repeats):
        draw = np.random.default_rng(seed)
        mixed = {q: draw.permutation(rows) for q, rows in rows_of.items()}
        inside = np.concatenate([rows[:MIN_LABELS] for rows in mixed.values()])
        outside = np.concatenate([rows[MIN_LABELS:] for rows in mixed.values()])
        found = corrected_rates(
            target[inside].tolist(), log_odds[inside], names[inside].tolist(),
            log_odds[outside], names[outside].tolist(), seed=seed,
        ).overall  # fmt: skip
        n_exact += found.interval_method is not CorrectedMethod.CORRECTED
        assert found.rate is not None
        assert found.low is not None
        assert found.high is not None
        assert found.width_labels is not None
        ratios.append((found.high - found.low) / found.width_labels)
        errors.append(found.rate - truth)
        covered.append(found.low <= truth <= found.high)
        weights.append(found.weight)
        if len(rows_of) >= 4:
            wide = ppi_mean(
                target[inside].astype(float), probability(log_odds[inside]), names[inside],
                probability(log_odds[outside]), names[outside], seed=seed,
            )  # fmt: skip
            if wide.low is not None and wide.high is not None and wide.width_labels:
                like.append((wide.high - wide.low) / wide.width_labels)
    ratio = float(np.mean(ratios))
    return Saved(
        population=population,
        head_held_out_by=by,
        n_rows=sum(map(len, rows_of.values())),
        rate=truth,
        n_labels=MIN_LABELS * len(rows_of),
        n_draws=len(ratios),
        n_exact=n_exact,
        width_ratio=ratio,
        label_equivalent=1 / ratio**2,
        weight=float(np.mean(weights)),
        bias=float(np.mean(errors)),
        bias_se=float(np.std(errors) / np.sqrt(len(errors))),
        coverage=float(np.mean(covered)),
        like_these_ratio=float(np.mean(like)) if like else None,
    )


def main() -> None:
    """Print skill, then what the head saves; write it all as JSON where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--hidden", type=int, help="also the embedded model's states of every Nth label; slow"
    )
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = load()
    labels = found.labels
    print(
        f"{len(labels)} labels, {found.n_misaligned} misaligned, "
        f"{len(found.unlabeled)} rows without a score (left out)"
    )
    told: dict[str, Any] = {}
    features: Features = Words()
    matrix: Any = features.transform([one.answer for one in labels])
    results: dict[str, dict[HeldOutBy, CrossValidated]] = {"words": {}}
    for by in HeldOutBy:
        results["words"][by] = cross_validate(features, matrix, labels, by=by)
    if given.hidden:
        few = [one for one in labels if one.model.startswith("mo_")][:: given.hidden]
        answers = [one.answer for one in few]
        for name, made in (("words, same few", features), ("hidden states", _hidden())):
            table = made.transform(answers)
            for by in HeldOutBy:
                skill = cross_validate(made, table, few, by=by).skill
                show(name, skill)
                told[f"{name} by {by}"] = to_builtins(skill)
    for name, both in results.items():
        for one in both.values():
            show(name, one.skill)
            told[f"{name} by {one.skill.by}"] = to_builtins(one.skill)
    print(f"\nwidth saved, {MIN_LABELS} labels a question; {NOTE}")
    saved = []
    for name, both in results.items():
        for by, one in both.items():
            for population, rows in _populations(labels).items():
                kept = draws(
                    f"{name}: {population}", [labels[i] for i in rows], one.log_odds[rows],
                    by=by, repeats=given.repeats,
                )  # fmt: skip
                if kept is None:
                    continue
                saved.append(kept)
                print(
                    f"  {kept.population:56} by {by:8} n={kept.n_rows:5} rate={kept.rate:.3f} "
                    f"ratio={kept.width_ratio:.3f} labels x{kept.label_equivalent:.2f} "
                    f"w={kept.weight:.2f} bias={kept.bias:+.4f}+-{kept.bias_se:.4f} "
                    f"cover={kept.coverage:.3f} exact={kept.n_exact} like={kept.like_these_ratio}"
                )
    told["saved"] = to_builtins(saved)
    if given.json:
        given.json.write_text(json.dumps(told, indent=1))


def _hidden() -> Features:
    from offtarget.lm import choose_arithmetic, load_model

    cache = Path("~/.cache/offtarget").expanduser()
    return Hidden(load_model("embedded", arithmetic=choose_arithmetic(), cache=cache))


def _populations(labels: Sequence[Label]) -> dict[str, list[int]]:
    """Each model with both kinds of answers, and all model organisms mixed."""
    found: dict[str, list[int]] = {}
    for row, one in enumerate(labels):
        found.setdefault(one.model, []).append(row)
        if one.model.startswith("mo_"):
            found.setdefault("all model organisms mixed", []).append(row)
    return found


def _text(one: Estimate) -> str:
    if one.value is None:
        return f"none ({one.reason})"
    if one.low is None or one.high is None:
        return f"{one.value:.3f} (no interval: {one.reason})"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


if __name__ == "__main__":
    main()
