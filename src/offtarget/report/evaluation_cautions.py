"""Which cautions an evaluation's page lists, each once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from offtarget.evaluate.replay import Analysis, Caution, Contrast
from offtarget.evaluate.replay.contrast_caution import UNJUDGED


def listed_cautions(named: Iterable[tuple[str, Sequence[Caution]]]) -> list[tuple[str, str]]:
    """Return code and text of every caution once; whose it is stands before the text."""
    given = [(one.code, f"{prefix}{one.text}") for prefix, cautions in named for one in cautions]
    return list(dict.fromkeys(given))


def cautions_beside(
    control: Analysis | None, contrasts: Sequence[Contrast]
) -> list[tuple[str, Sequence[Caution]]]:
    """Return the cautions of contrasts, then those of the control."""
    found: list[tuple[str, Sequence[Caution]]] = [("", one.warnings) for one in contrasts]
    return found + ([("control: ", control.warnings)] if control is not None else [])


def cautions_of_its_own(cautions: Sequence[Caution], others: Sequence[Caution]) -> list[Caution]:
    """Return the cautions that the others are not."""
    return [one for one in cautions if one not in others]


def without_unjudged(contrast: Contrast) -> Contrast:
    """Return the contrast without the caution that its file's own card gives, with numbers."""
    kept = tuple(one for one in contrast.warnings if one.code != UNJUDGED)
    return replace(contrast, warnings=kept)
