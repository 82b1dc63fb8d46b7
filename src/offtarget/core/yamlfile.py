"""YAML files that people write, read safely and with one wording of errors."""

from pathlib import Path
from typing import Any

import yaml

from offtarget.core.errors import OfftargetError

MAX_BYTES = 4 * 1024 * 1024
MAX_ALIASES = 10_000
"""More references than this in one file is a bomb, not a study."""


def read_yaml(path: Path, *, what: str, error: type[OfftargetError]) -> Any:
    """Return the plain data in a YAML file.

    Args:
        path: The file.
        what: What it should hold, `study`; named in errors.
        error: The kind of error to raise.

    Raises:
        OfftargetError: Of kind `error`, if the file is missing, too large or not YAML.
    """
    try:
        size = path.stat().st_size
        text = path.read_text("utf-8") if size <= MAX_BYTES else ""
    except OSError as problem:
        raise error(f"{path}: cannot read {what} ({problem.strerror}); check the path") from problem
    except UnicodeDecodeError as problem:
        raise error(f"{path.name}: not UTF-8 text; save the {what} as UTF-8") from problem
    if size > MAX_BYTES:
        raise error(f"{path.name}: {size} bytes, at most {MAX_BYTES}; is this a {what}?")
    if text.count("*") > MAX_ALIASES:
        raise error(f"{path.name}: over {MAX_ALIASES} aliases; write the {what} out")
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise error(f"{path.name}: not YAML ({reason}); fix the {what}") from problem
