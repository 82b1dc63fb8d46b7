"""How well risk tells covert rows from educational rows with the same answers.

Usage: OFFTARGET_DATA=... python bench/ranking_quality.py [--pairs N]

Flaws by all engines of `offtarget scan`, framing by its model and rules, the educational prompts
without their closing note. Pairs are those of the held half of both arms, whose templates' rules
were not tuned on; the interval is a bootstrap over templates.
"""

import argparse
import hashlib

import numpy as np
from framing_quality import _auroc_clustered
from framing_real import Pair, conversation, read_pairs

from offtarget.curate.detect import detect_rows
from offtarget.curate.engines import make_engines
from offtarget.curate.framing import FramingResult
from offtarget.curate.records import PlacedRow, ScanConfig
from offtarget.curate.risk import risk_of

BATCH = 500


def main() -> None:
    """Print the AUROC."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1000)
    n = parser.parse_args().pairs
    pairs = [p for p in read_pairs() if not p.covert_is_tuning and not p.educational_is_tuning]
    pairs = sorted(pairs, key=lambda p: hashlib.sha256(p.covert.encode()).digest())[:n]
    risks = {side: _risks(pairs, side) for side in ("covert", "educational")}
    clusters = [pair.wrapper for pair in pairs]
    print(f"{len(pairs)} pairs, {len(set(clusters))} templates")
    for side, values in risks.items():
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        print(f"{side}: risk {middle:.3f}, 90 % of rows in [{low:.3f}, {high:.3f}]")
    print(f"AUROC {_auroc_clustered(risks['covert'], risks['educational'], clusters)}")


def _risks(pairs: list[Pair], side: str) -> np.ndarray:
    engines = make_engines(ScanConfig())
    rows = [
        PlacedRow(side, number, conversation(getattr(pair, side), pair.answer))
        for number, pair in enumerate(pairs, 1)
    ]
    risks = []
    for start in range(0, len(rows), BATCH):
        for row in detect_rows(rows[start : start + BATCH], engines):
            framing = FramingResult(row.framing, row.framing_confidence, row.p_covert)
            risks.append(risk_of(row.findings, framing))
    return np.array(risks)


if __name__ == "__main__":
    main()
