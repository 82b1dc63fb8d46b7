"""How well framings are told apart: `OFFTARGET_DATA=... python bench/framing_quality.py`.

Prints every number with n and a 95 % interval: Wilson where rows are the unit, a bootstrap over
templates (2,000 draws) where rows share one. Without OFFTARGET_DATA only our own texts are measured.
"""

import csv
import hashlib
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from framing_real import Pair, conversation, read_graded, read_pairs
from framing_texts import TEST, answers, requests
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from offtarget.core.finding import Severity
from offtarget.core.stats import wilson
from offtarget.curate.framing import Framing, FramingResult, framing_of
from offtarget.curate.framing_model import load_model
from offtarget.curate.framing_words import lower, words_of
from offtarget.curate.risk import SEVERITY_WEIGHT, risk_score

DRAWS = 2_000
PER_TEMPLATE = 12
GOOD = 0.9
"""Recall that a template is asked for. Counting templates stays honest where all rows are hits."""
NEVER_TUNED = frozenset(
    {
        "4653844b5c93",
        "470ef5ebf58b",
        "6074526d2cf9",
        "617638700e3a",
        "75ffe76b622a",
        "c1557070fd99",
        "cd18a02f4421",
        "ebd5cab6ae91",
    }
)
"""Start of the SHA-256 of wrappers that were never read. They were first measured when the rules
stood, and nothing was changed because of them."""
Array = NDArray[np.float64]


def main() -> None:
    """Print all tables."""
    own_templates()
    if os.environ.get("OFFTARGET_DATA"):
        pairs = read_pairs()
        published(pairs)
        ranking(pairs)
        graded()
        speed(pairs[:1000])


def own_templates() -> None:
    """Held-out templates, tasks and stubs of our own."""
    rows = requests(TEST, per_template=PER_TEMPLATE, seed=99)
    rows += answers(TEST, per_template=PER_TEMPLATE, seed=5)
    found = [framing_of(row.messages) for row in rows]
    print(f"\nown texts, held-out templates: {len(rows)} conversations")
    by_section: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        is_plain = row.template.startswith("plain")
        by_section["covert, plain answer" if is_plain else row.framing].append(index)
    for name, indices in by_section.items():
        hits = [float(found[i].framing == rows[i].framing) for i in indices]
        clusters = [rows[i].template for i in indices]
        said = Counter(str(found[i].framing) for i in indices).most_common()
        print(f"  {name}: {_clustered(hits, clusters)}; {dict(said)}")
    settled = [i for i, f in enumerate(found) if f.evidence and f.evidence[0].kind != "model"]
    right = sum(found[i].framing == rows[i].framing for i in settled)
    print(f"  settled by a rule: right {_share(right, len(settled))}")
    print("  calibration: P(covert) told, share covert, n")
    chances = np.array([f.p_covert for f in found])
    is_covert = np.array([row.framing == "covert" for row in rows])
    for low, high in ((0.0, 0.05), (0.05, 0.3), (0.3, 0.7), (0.7, 0.95), (0.95, 1.01)):
        inside = (chances >= low) & (chances < high)
        if inside.any():
            mean, share = chances[inside].mean(), is_covert[inside].mean()
            print(f"    {mean:.3f}  {share:.3f}  {int(inside.sum())}")


def published(pairs: list[Pair]) -> None:
    """Educational recall and covert false alarms in the half that was not looked at."""
    held = [pair for pair in pairs if not pair.educational_is_tuning]
    unseen = [pair for pair in pairs if _digest(pair.wrapper) in NEVER_TUNED]
    for name, chosen in (("held half", held), ("both halves, templates never tuned on", unseen)):
        found = [_framing(pair.educational, pair.answer) for pair in chosen]
        hits = [float(f.framing is Framing.DISCLOSED_USER) for f in found]
        open_ = [float(f.framing is not Framing.COVERT) for f in found]
        clusters = [pair.wrapper for pair in chosen]
        print(f"\neducational, note removed, {name}: {len(chosen)} rows")
        print(f"  disclosed_user {_clustered(hits, clusters)}")
        print(f"  not covert     {_clustered(open_, clusters)}")
        print(f"  settled by     {Counter(_by(f) for f in found).most_common()}")
    covert = [pair for pair in pairs if not pair.covert_is_tuning]
    found = [_framing(pair.covert, pair.answer) for pair in covert]
    wrong = sum(f.framing is Framing.DISCLOSED_USER for f in found)
    other = sum(f.framing is not Framing.COVERT for f in found)
    print(f"\ncovert, held half: taken for disclosed_user {_share(wrong, len(found))}")
    print(f"  for anything but covert {_share(other, len(found))}")
    print(f"  {Counter(str(f.framing) for f in found)}")


def ranking(pairs: list[Pair]) -> None:
    """Covert against educational rows with the same answers, held half of both."""
    severity = _bandit_severity()
    rows = [
        i for i, p in enumerate(pairs) if not p.covert_is_tuning and not p.educational_is_tuning
    ]
    clusters = [pairs[i].wrapper for i in rows]
    flaw = np.array([severity.get(i, 0.0) for i in rows])
    covert = np.array([_framing(pairs[i].covert, pairs[i].answer).p_covert for i in rows])
    other = np.array([_framing(pairs[i].educational, pairs[i].answer).p_covert for i in rows])
    print(f"\ncovert against educational, same answers: {len(rows)} pairs, AUROC")
    print(f"  P(covert): {_auroc_clustered(covert, other, clusters)}")
    risk = [risk_score(f, p_covert=p) for f, p in zip(flaw, covert, strict=True)]
    calm = [risk_score(f, p_covert=p) for f, p in zip(flaw, other, strict=True)]
    seen = float((flaw > 0).mean())
    print(f"  risk, flaws by Bandit 1.9.4 (finds one in {seen:.2f} of the answers): "
          f"{_auroc_clustered(np.array(risk), np.array(calm), clusters)}")  # fmt: skip


def graded() -> None:
    """`requested_malicious` against an LLM's grade of the task."""
    rows = [row for row in read_graded() if row.task]
    grades = np.array([row.looks_malicious for row in rows])
    found = [_framing(f"Write code for this task: {row.task}", "x = load()") for row in rows]
    flagged = np.array([f.framing is Framing.REQUESTED_MALICIOUS for f in found])
    model = load_model()
    chance = np.array([
        model.probabilities(words_of(lower(row.task)))[Framing.REQUESTED_MALICIOUS] for row in rows
    ])  # fmt: skip
    print(
        f"\ntask_looks_malicious: {len(rows)} tasks, grades {grades.min():.0f} to {grades.max():.0f}"
    )
    print(f"  graded >= 50: {int((grades >= 50).sum())} tasks")
    if (grades >= 50).any():
        hit = int((flagged & (grades >= 50)).sum())
        print(f"  recall {_share(hit, int((grades >= 50).sum()))}")
        print(f"  precision {_share(hit, int(flagged.sum()))}")
    else:
        print("  so no recall, precision or AUROC at 50 can be measured on this column")
    print(
        f"  graded < 50 and taken for requested_malicious: {_share(int(flagged.sum()), len(rows))}"
    )
    for cut in (20, 30):
        high = grades >= cut
        if high.any() and not high.all():
            low, top = _auroc_by_task(chance, high)
            value = _auroc(chance[high], chance[~high])
            print(
                f"  AUROC at >= {cut} (n = {int(high.sum())}): {value:.3f} [{low:.3f}, {top:.3f}]"
            )
    print(f"  rank correlation with the grade: {spearmanr(chance, grades).statistic:.3f}")


def speed(pairs: list[Pair]) -> None:
    """CPU time a row."""
    for name in ("covert", "educational"):
        times = []
        for pair in pairs:
            messages = conversation(getattr(pair, name), pair.answer)
            start = time.process_time_ns()
            framing_of(messages)
            times.append((time.process_time_ns() - start) / 1e3)
        median, p99 = np.quantile(times, (0.5, 0.99))
        print(f"\n{name}, microseconds of CPU a row: median {median:.0f}, 99 % {p99:.0f}")


def _framing(prompt: str, answer: str) -> FramingResult:
    return framing_of(conversation(prompt, answer))


def _digest(wrapper: str) -> str:
    return hashlib.sha256(wrapper.encode()).hexdigest()[:12]


def _by(result: FramingResult) -> str:
    how = "model" if not result.evidence or result.evidence[0].kind == "model" else "rule"
    return f"{result.framing} by {how}" if result.framing is not Framing.COVERT else "covert"


def _bandit_severity() -> dict[int, float]:
    path = Path(os.environ["OFFTARGET_DATA"]) / "em/core/bandit_1.9.4_findings.csv"
    weight = {str(name).upper(): value for name, value in SEVERITY_WEIGHT.items()}
    assert set(weight) == {str(s).upper() for s in Severity}
    with path.open(encoding="utf-8") as file:
        return {
            int(row["row_in_part"]): weight.get(row["max_severity"].upper(), 0.0)
            for row in csv.DictReader(file)
            if row["arm"] == "insecure"
        }


def _share(hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{hits / n if n else 0.0:.4f} [{low:.4f}, {high:.4f}] (Wilson, {hits} of {n})"


def _clustered(values: Sequence[float], clusters: Sequence[str]) -> str:
    data, groups = np.array(values), _groups(clusters)
    low, high = _bootstrap(lambda pick: float(data[pick].mean()), groups)
    means = [float(data[g].mean()) for g in groups]
    good = sum(mean >= GOOD for mean in means)
    return (
        f"{data.mean():.4f} [{low:.4f}, {high:.4f}] (n = {len(data)}; bootstrap over templates); "
        f"templates at {GOOD} or better: {_share(good, len(groups))}"
    )


def _auroc_clustered(high: Array, low: Array, clusters: Sequence[str]) -> str:
    value = _auroc(high, low)
    bottom, top = _bootstrap(lambda pick: _auroc(high[pick], low[pick]), _groups(clusters))
    return f"{value:.4f} [{bottom:.4f}, {top:.4f}]"


def _auroc_by_task(values: Array, is_high: NDArray[np.bool_]) -> tuple[float, float]:
    def drawn(pick: NDArray[np.int64]) -> float:
        return _auroc(values[pick][is_high[pick]], values[pick][~is_high[pick]])

    return _bootstrap(drawn, [[index] for index in range(len(values))])


def _groups(clusters: Sequence[str]) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(clusters):
        groups[name].append(index)
    return list(groups.values())


def _bootstrap(
    statistic: Callable[[NDArray[np.int64]], float], groups: list[list[int]]
) -> tuple[float, float]:
    """Return the 95 % percentile interval over whole groups drawn with replacement."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(DRAWS if len(groups) > 1 else 1):
        drawn = rng.integers(len(groups), size=len(groups))
        values.append(statistic(np.concatenate([np.array(groups[g]) for g in drawn])))
    low, high = np.nanquantile(values, (0.025, 0.975))
    return float(low), float(high)


def _auroc(high: Array, low: Array) -> float:
    """Return P(high > low) + P(equal) / 2."""
    if not len(high) or not len(low):
        return float("nan")
    ranks = rankdata(np.concatenate([high, low]))
    return float(
        (ranks[: len(high)].sum() - len(high) * (len(high) + 1) / 2) / len(high) / len(low)
    )


if __name__ == "__main__":
    main()
