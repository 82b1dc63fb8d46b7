"""Questions that are one question because they were asked in the same words."""

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def text_key(text: str) -> bytes:
    """Return what two questions share where their words are the same, white space aside."""
    words = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=12).digest()


def joined(groups: Iterable[Sequence[Name]]) -> dict[Name, Name]:
    """Return for each name one that stands for its group, where groups that share a name are one."""
    above: dict[Name, Name] = {}

    def top(name: Name) -> Name:
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    for group in groups:
        for name in group:
            above.setdefault(name, name)
            above[top(name)] = top(group[0])
    return {name: top(name) for name in above}


def asked_alike(texts: Mapping[str, Iterable[bytes]]) -> list[list[str]]:
    """Return the questions of each text that several ask, in order of appearance.

    Args:
        texts: Question to the keys of its texts.
    """
    askers: dict[bytes, list[str]] = {}
    for name, keys in texts.items():
        for key in keys:
            askers.setdefault(key, []).append(name)
    return [names for names in askers.values() if len(names) > 1]
