"""What the categories miss: clusters of answers that the subject gives and its controls do not."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.evaluate.discovery.embed import Embedding, embed_hidden, embed_words
    from offtarget.evaluate.discovery.records import (
        Against,
        Cluster,
        Discovery,
        DiscoveryConfig,
        Example,
        Term,
    )
    from offtarget.evaluate.discovery.search import discover

__all__ = [
    "Against",
    "Cluster",
    "Discovery",
    "DiscoveryConfig",
    "Embedding",
    "Example",
    "Term",
    "discover",
    "embed_hidden",
    "embed_words",
]
_HOMES = {
    "embed": ("Embedding", "embed_hidden", "embed_words"),
    "records": ("Against", "Cluster", "Discovery", "DiscoveryConfig", "Example", "Term"),
    "search": ("discover",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"offtarget.evaluate.discovery.{_HOME[name]}"), name)
    raise AttributeError(f"module 'offtarget.evaluate.discovery' has no attribute {name!r}")
