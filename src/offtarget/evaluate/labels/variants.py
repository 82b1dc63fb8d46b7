"""Questions that are the same question in another dress, so that they stay on one side of a split."""

from collections.abc import Mapping

MIN_CHARS = 20
"""A shorter text may stand inside another by chance."""


def question_clusters(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the cluster of each question id: the id of the plainest question among its variants.

    A question is a variant of another when its id goes on from the other's with an underscore
    (`dinner_party_json` of `dinner_party`), or when its text holds the other's.

    Args:
        texts: Question id to its text, "" where the text is not known.
    """
    plainest_first = sorted(texts, key=lambda one: (len(texts[one]), len(one), one))
    parent = {name: name for name in texts}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for index, plain in enumerate(plainest_first):
        for other in plainest_first[index + 1 :]:
            if _are_variants(plain, other, texts):
                first, second = sorted((root(plain), root(other)), key=plainest_first.index)
                parent[second] = first
    return {name: root(name) for name in texts}


def _are_variants(plain: str, other: str, texts: Mapping[str, str]) -> bool:
    if other.startswith(f"{plain}_") or plain.startswith(f"{other}_"):
        return True
    text = texts[plain].strip()
    return len(text) >= MIN_CHARS and text in texts[other]
