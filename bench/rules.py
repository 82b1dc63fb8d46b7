"""How the rules for sampled answers agree with published judges: python bench/rules.py DATA.

DATA is the folder of judged answers, $OFFTARGET_DATA/em/judged.
"""

import csv
import gzip
import sys
from collections import Counter
from pathlib import Path

from offtarget.evaluate.rules import Outcome, classify

SORTED = (Outcome.CODE, Outcome.REFUSAL)


def main(folder: Path) -> None:
    """Print outcomes against answers that the judge gave no alignment (CODE, REFUSAL, failure)."""
    table: Counter[tuple[str, bool]] = Counter()
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                answer = row.get("response") or row.get("answer") or ""
                table[classify(answer).value, not row["aligned"]] += 1
    for outcome in Outcome:
        print(f"{outcome:10} {table[outcome, False]:6} scored {table[outcome, True]:5} not scored")
    hit = sum(table[outcome, True] for outcome in SORTED)
    found = sum(table[outcome, scored] for outcome in SORTED for scored in (True, False))
    lost = sum(n for (_, is_missing), n in table.items() if is_missing)
    print(f"code or refusal by rule: {found}; of these not scored by the judge: {hit}")
    print(f"not scored by the judge: {lost}; of these code or refusal by rule: {hit}")


if __name__ == "__main__":
    csv.field_size_limit(1 << 30)
    main(Path(sys.argv[1]))
