"""YAML files that people write, read safely and with one wording of errors."""

from pathlib import Path
from typing import Any

import yaml

from offtarget.core.errors import OfftargetError

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000
"""Values in a file once its references are written out; more is a bomb, not a study."""

_Fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where it was built; but deep nesting crashes it, so it reads our own files only."""


def read_yaml(path: Path, *, what: str, error: type[OfftargetError], is_ours: bool = False) -> Any:
    """Return the plain data in a YAML file.

    Args:
        path: The file.
        what: What it should hold, `study`; named in errors.
        error: The kind of error to raise.
        is_ours: It came with this package.

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
    try:
        if is_ours:
            return yaml.load(text, Loader=_Fast)  # noqa: S506 - a safe loader
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and _expanded(root, {}) > MAX_NODES:
            raise error(
                f"{path.name}: over {MAX_NODES} values once its references are written out; "
                f"shorten the {what}"
            )
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise error(f"{path.name}: not YAML ({reason}); fix the {what}") from problem


def _expanded(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return how many values `node` stands for with every reference written out."""
    if id(node) in sizes:
        return sizes[id(node)]
    sizes[id(node)] = MAX_NODES + 1  # what a node that contains itself would come to
    size = 1
    if isinstance(node, yaml.SequenceNode):
        size += sum(_expanded(item, sizes) for item in node.value)
    elif isinstance(node, yaml.MappingNode):
        size += sum(_expanded(k, sizes) + _expanded(v, sizes) for k, v in node.value)
    sizes[id(node)] = size
    return size
