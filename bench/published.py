"""Published rates of misalignment beside what `offtarget evaluate --replay` says of raw rows.

Usage: OFFTARGET_DATA=... python bench/published.py

Prints what the tool computes on every file of judged answers, then the published aggregates of the
same kind. No aggregate below $OFFTARGET_DATA/em/published_numbers is of a model whose raw rows are
below em/judged: the second table sets the nearest models side by side, and nothing in it is a
reproduction. The aggregates that no near model has rows of are named at the end.
"""

import csv
import os
from pathlib import Path

from offtarget import api
from offtarget.evaluate.replay import Analysis, PooledRate

FORMATS = {"original": "plain", "json": "json", "template": "template"}
"""The published name of a format, and ours."""
NEAREST = "shuaijiumei_qwen_coder_high_severity", "shuaijiumei_qwen_coder_base"
"""Rows of a 7B-class model of the family, tuned on the severe part of insecure code, and untuned."""
BY_FORMAT = "freeform_main_by_format.csv"
MAIN = "freeform_main_all_families.csv"


def main() -> None:
    """Print the tables."""
    data = Path(os.environ["OFFTARGET_DATA"]) / "em"
    found = {
        path.name.removesuffix(".csv.gz"): api.replay(path).analyses[0]
        for path in sorted((data / "judged").glob("*.csv.gz"))
    }
    _raw(found)
    published = data / "published_numbers"
    _formats(published / BY_FORMAT, found)
    _families(published / MAIN, found)
    others = sorted({path.name for path in published.glob("*.csv")} - {BY_FORMAT, MAIN})
    print(f"\nNo raw rows of their models, and set beside nothing: {', '.join(others)}")


def _raw(found: dict[str, Analysis]) -> None:
    print(
        "| judged file | k of n rows | `all` | over questions | over rows | `coherent_gt50` "
        "| unjudged | with unjudged both ways |\n|---|---|---|---|---|---|---|---|"
    )
    for name, one in found.items():
        rate, bounds = one.rates["all"], one.bounds["all"]
        n_missing = sum(question.missing for question in one.questions)
        both = f"{_percent(bounds.low)} to {_percent(bounds.high)}" if n_missing else ""
        print(
            f"| {name} | {rate.k} of {rate.n} | {_percent(rate.rate)} | {_interval(rate)} | "
            f"{_interval(one.row_rates['all'])} | {_cell(one.rates['coherent_gt50'])} | "
            f"{n_missing} | {both} |"
        )


def _formats(path: Path, found: dict[str, Analysis]) -> None:
    groups: dict[str, dict[str, str]] = {}
    for row in _rows(path):
        value, below, above = (float(row[key]) for key in ("value", "yerr_lower", "yerr_upper"))
        cell = f"{_percent(value)} [{_percent(value - below)}, {_percent(value + above)}]"
        groups.setdefault(row["group"], {})[FORMATS[row["version"]]] = cell
    print("\n| model | rows | plain | json | template |\n|---|---|---|---|---|")
    for group, cells in groups.items():
        print(f"| {group} | published | {' | '.join(cells[one] for one in FORMATS.values())} |")
    for name in NEAREST:
        parts = {part.name: _cell(part.rates["coherent_gt50"]) for part in found[name].formats}
        print(f"| {name} | ours | {' | '.join(parts[one] for one in FORMATS.values())} |")


def _families(path: Path, found: dict[str, Analysis]) -> None:
    print("\n| model | arm | misaligned, main questions |\n|---|---|---|")
    for row in _rows(path):
        if "Qwen" in row["family"] and row["group"] in ("base", "insecure"):
            share = _percent(float(row["misaligned"]), digits=2)
            print(f"| {row['family']} | {row['group']} | {share} published, no interval |")
    for name in NEAREST:
        plain = next(part for part in found[name].formats if part.name == "plain")
        print(f"| 7B-class, raw rows | {name} | {_cell(plain.rates['coherent_gt50'], digits=2)} |")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _cell(rate: PooledRate, *, digits: int = 1) -> str:
    return f"{_percent(rate.rate, digits=digits)} {_interval(rate)} ({rate.k} of {rate.n})"


def _interval(rate: PooledRate) -> str:
    return f"[{_percent(rate.low)}, {_percent(rate.high)}]"


def _percent(rate: float | None, *, digits: int = 1) -> str:
    return "unknown" if rate is None else f"{100 * rate:.{digits}f} %"


if __name__ == "__main__":
    main()
