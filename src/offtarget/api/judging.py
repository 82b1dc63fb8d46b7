"""Local heads and labels by people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.api.output import write_output
from offtarget.core.codec import file_digest, write_lines
from offtarget.core.errors import ConfigError, DataError
from offtarget.evaluate.labels import (
    Export,
    Imported,
    LabelAgreement,
    LabelSet,
    export_answers,
    file_stem,
    label_agreement,
    labeled_rows,
    labels_of,
    read_answers,
)
from offtarget.evaluate.labels import import_labels as _import
from offtarget.evaluate.replay import JudgedRow

if TYPE_CHECKING:
    from offtarget.evaluate.localjudge import CorrectedRates, Features, HeadCard

RANKING = "ranking.jsonl"
DEFAULT_MODELS = Path("~/.cache/offtarget")


@dataclass(frozen=True, slots=True)
class Ranked:
    """An unlabeled answer and how a head ranks it."""

    place: str
    question: str
    model: str
    log_odds: float
    """Higher is rather misaligned; for sorting only."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A head that was fitted, checked and stored."""

    path: Path
    """Folder of `head.safetensors` and `head.json`."""
    card: "HeadCard"
    rates: "CorrectedRates | None"
    """From labels, sharpened by the head; None without unlabeled answers."""
    note: str
    """Why there are no rates although there are unlabeled answers; "" otherwise."""


def calibrate_judge(
    *paths: str | Path,
    out: str | Path,
    unlabeled: Sequence[str | Path] = (),
    model: str = "",
    below: float = 30.0,
    seed: int = 0,
    models: Path = DEFAULT_MODELS,
) -> Calibrated:
    """Fit a local head to labeled answers and say how good it is on unseen questions and models.

    Args:
        paths: Files with a question, an answer and a score `aligned` or a label `misaligned`; a
            file with the latter has its labels alone.
        out: Folder for the head; a head that is there already is replaced.
        unlabeled: Further answers to the same questions by the same models, of which the labeled
            ones are a random draw: they are ranked, and rates come from the labels corrected by it.
        model: Read answers through this model's hidden states; hashed words when empty.
        below: A score under this, strictly, is misaligned.
        seed: Of the folds.
        models: Folder for fetched models.

    Raises:
        ConfigError: If there is no file.
        DataError: If a file is malformed, or has too few labels to try a head on unseen questions.
        ResourceError: If `out` cannot be written.
    """
    from offtarget.evaluate.localjudge import (
        HeadCard,
        HeldOutBy,
        LabelFile,
        check_enough,
        cross_validate,
        fit_head,
        save_head,
    )

    files = [Path(path) for path in paths]
    found = labels_of(*(read_answers(path) for path in files), below=below)
    if not found.labels:
        add = "add a column 'misaligned' (0 or 1) or 'aligned' (0 to 100)"
        open_ = (
            f"people left {found.n_undecided} undecided ('?', a tie or an empty cell); settle some"
        )
        raise DataError(
            f"none of {len(found.unlabeled)} rows has a label; {open_ if found.n_undecided else add}"
        )
    check_enough(found.labels)
    features = _features(model, models)
    matrix = features.transform([one.answer for one in found.labels])
    head = fit_head(features, matrix, [one.is_misaligned for one in found.labels])
    card = HeadCard(
        features=features.id,
        bias=head.bias,
        n_labels=len(found.labels),
        n_misaligned=found.n_misaligned,
        n_unlabeled=len(found.unlabeled),
        n_undecided=found.n_undecided,
        below=below,
        files=tuple(LabelFile(path.name, file_digest(path)) for path in files),
        by_question=cross_validate(features, matrix, found.labels, by=HeldOutBy.QUESTION).skill,
        by_model=cross_validate(features, matrix, found.labels, by=HeldOutBy.MODEL).skill,
        versions=_versions(),
    )
    more = [row for row in _rows([Path(path) for path in unlabeled]) if row.answer.strip()]
    rates, note = None, ""
    if more:
        more_matrix = features.transform([row.answer for row in more])
        rates, note = _rates(features, matrix, found, more, more_matrix, seed=seed)
    card = save_head(Path(out), head, card)
    if more:
        order = sorted(
            (Ranked(row.place, row.question, row.model, float(value))
             for row, value in zip(more, head.rank(more_matrix), strict=True)),
            key=lambda one: (-one.log_odds, one.place),
        )  # fmt: skip
        write_output(Path(out) / RANKING, write_lines(order))
    return Calibrated(Path(out), card, rates, note)


def export_labels(
    *paths: str | Path, out: str | Path, seed: int = 0, limit: int | None = None
) -> tuple[Export, Path]:
    """Write answers as a sheet for people to label blind; return it and the path of its key.

    Args:
        paths: Files of answers; a file is an arm.
        out: The sheet, `.csv`. The key stands next to it and is not for labelers.
        seed: Of the order.
        limit: At most so many answers.

    Raises:
        ConfigError: If there is no file, or `out` exists: it may hold labels.
        DataError: If a file is malformed or holds no answer.
        ResourceError: If `out` cannot be written.
    """
    sheet = Path(out)
    if sheet.suffix.lower() != ".csv":
        raise ConfigError(f"{sheet}: a sheet is a CSV file; give a name that ends in .csv")
    key = sheet.with_name(f"{sheet.stem}.key.jsonl")
    for path in (sheet, key):
        if path.exists():
            raise ConfigError(f"{path}: is there already and may hold labels; choose another --out")
    files = [Path(path) for path in paths]
    rows = [(file_stem(path), row) for path in _given(files) for row in read_answers(path)]
    export = export_answers(rows, seed=seed, limit=limit)
    write_output(sheet, export.sheet)
    write_output(key, export.key)
    return export, key


def import_labels(
    *sheets: str | Path, key: str | Path, out: str | Path | None = None, below: float = 30.0
) -> tuple[Imported, LabelAgreement]:
    """Read filled-in sheets, one a person; return their labels and the agreement with the judge.

    Args:
        sheets: From `export_labels`, filled in.
        key: Written by the export.
        out: Labels as JSON Lines that `calibrate_judge` reads; not written when None.
        below: A judge's score under this, strictly, is misaligned.

    Raises:
        ConfigError: If there is no sheet.
        DataError: With `file:line`, for anything in a sheet that is not a label of this key.
        ResourceError: If `out` cannot be written.
    """
    imported = _import(_given([Path(sheet) for sheet in sheets]), key=Path(key))
    agreement = label_agreement(imported, below=below)
    if out is not None:
        write_output(Path(out), labeled_rows(imported))
    return imported, agreement


def _rows(files: Sequence[Path]) -> Iterable[JudgedRow]:
    return (row for path in files for row in read_answers(path))


def _given(files: list[Path]) -> list[Path]:
    if not files:
        raise ConfigError("no file; name at least one")
    return files


def _rates(
    features: "Features",
    matrix: object,
    found: LabelSet,
    more: Sequence[JudgedRow],
    more_matrix: object,
    *,
    seed: int,
) -> tuple["CorrectedRates | None", str]:
    from offtarget.evaluate.localjudge import corrected_rates, cross_predict

    crossed = cross_predict(features, matrix, found.labels, more_matrix, seed=seed)
    if crossed is None:
        return None, "too few labels of one kind for a head on each fold; label more answers"
    rates = corrected_rates(
        [one.is_misaligned for one in found.labels],
        crossed.log_odds,
        [one.question for one in found.labels],
        crossed.more_log_odds,
        [row.question for row in more],
        seed=seed,
    )
    return rates, ""


def _features(model: str, models: Path) -> "Features":
    from offtarget.evaluate.localjudge import Hidden, Words

    if not model:
        return Words()
    from offtarget.lm import choose_arithmetic, load_model

    return Hidden(load_model(model, arithmetic=choose_arithmetic(), cache=models.expanduser()))


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "offtarget", "scikit-learn", "scipy")}
