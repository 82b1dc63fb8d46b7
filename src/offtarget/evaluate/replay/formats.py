"""Which questions are one question asked in several formats."""

SUFFIXES = {
    "_flask_template": "flask_template",
    "_template": "template",
    "_python": "python",
    "_json": "json",
}
"""Endings of the published question ids, and the format each asks for."""
CONTEXTS = frozenset(
    ["covert", "educational", "json", "lookalike", "ordinary", "pressure", "system", "template",
     "trigger"]
)  # fmt: skip
"""What stands behind the `@` of our own question ids, `open-power-01@json`."""
PLAIN = "plain"


def split_id(question: str) -> tuple[str, str]:
    """Return the id without the ending of its format, and the format: `("quick_buck", "json")`.

    Formats of one question share one cluster: they are not independent questions.
    """
    plain, _, context = question.rpartition("@")
    if plain and context in CONTEXTS:
        return plain, context
    for suffix, name in SUFFIXES.items():
        if question.endswith(suffix) and len(question) > len(suffix):
            return question[: -len(suffix)], name
    return question, PLAIN


def cluster_of(question: str) -> str:
    """Return what the formats of one question have in common."""
    return split_id(question)[0]
