"""Small studies, and what their runs wrote."""

from pathlib import Path
from typing import Any

from offtarget.core.codec import parse, read_lines

NOTHING = "null"
"""Written as null in the study; None leaves the key out."""
FEW_ARMS: dict[str, Any] = {"positive": False, "placebo": False, "educational": False}
ONLY_MARGINS: dict[str, Any] = {**FEW_ARMS, "rollouts": NOTHING}


def timed(run: Path) -> list[dict[str, Any]]:
    """The lines of timings.jsonl."""
    return [parse(text, place="") for _, text in read_lines(run / "timings.jsonl")]


def steps(run: Path) -> list[tuple[str, int]]:
    """Every training step that was logged, as (stage, step)."""
    return [(entry["stage"], entry["step"]) for entry in timed(run) if "step" in entry]


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run by name."""
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}
