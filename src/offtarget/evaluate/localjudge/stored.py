"""A head on disk: weights as safetensors, everything else as a JSON card; nothing is pickled."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offtarget.core.codec import decode, file_digest, parse, pretty
from offtarget.core.errors import DataError, ModelError, ResourceError
from offtarget.core.whole_file import write_whole
from offtarget.evaluate.localjudge.calibration import HeldOut
from offtarget.evaluate.localjudge.head import Head

SCHEMA = 1
WEIGHTS = "head.safetensors"
CARD = "head.json"
MAX_CARD_BYTES = 4 * 1024 * 1024
MAX_WEIGHTS_BYTES = 64 * 1024 * 1024
USE = (
    "for ranking, early warning and as a control variate beside labels; it gives no rate on its own"
)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """Where labels came from."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class HeadCard:
    """What a stored head is and how good it was on held-out questions and models."""

    features: str
    """`words-2`, or `hidden:` and the digest of the model that must be loaded beside it."""
    bias: float
    n_labels: int
    n_misaligned: int
    n_unlabeled: int
    """Rows that were left out because they have no score, no label or no answer."""
    below: float
    """Scores under this counted as misaligned."""
    files: tuple[LabelFile, ...]
    by_question: HeldOut
    by_model: HeldOut
    versions: dict[str, str]
    """Of the libraries that hashed and fitted."""
    n_undecided: int = 0
    """Of these, answers that people left undecided."""
    weights_sha256: str = ""
    use: str = USE
    schema: int = SCHEMA


def save_head(folder: Path, head: Head, card: HeadCard) -> HeadCard:
    """Write `head.safetensors` and `head.json` to `folder`; return the card with its digest.

    The same head gives the same bytes.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    from dataclasses import replace

    from safetensors.numpy import save

    arrays = {"shift": head.shift, "scale": head.scale, "weights": head.weights}
    data = save({name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()})
    written = replace(
        card,
        weights_sha256=hashlib.sha256(data).hexdigest(),
        bias=head.bias,
        features=head.features,
    )
    try:
        for name, content in ((WEIGHTS, data), (CARD, pretty(written).encode())):
            write_whole(folder / name, content)
    except OSError as error:
        raise ResourceError(
            f"{folder}: cannot write the head ({error.strerror}); choose another --out"
        ) from error
    return written


def load_head(folder: Path) -> tuple[Head, HeadCard]:
    """Read a stored head back.

    Raises:
        DataError: If a file is missing, malformed, of a newer schema, or the weights are not the
            card's.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    card = _card(folder)
    path = folder / WEIGHTS
    if not path.is_file() or path.stat().st_size > MAX_WEIGHTS_BYTES:
        raise DataError(f"{path}: no head's weights there; run `offtarget judge calibrate` again")
    if file_digest(path) != card.weights_sha256:
        raise DataError(f"{path}: not the weights that {CARD} names; restore both files")
    try:
        arrays = load(path.read_bytes())
        shift, scale, weights = (
            arrays[name].astype(np.float64) for name in ("shift", "scale", "weights")
        )
    except (SafetensorError, KeyError) as error:
        raise DataError(f"{path}: not a head's weights ({error}); restore the file") from error
    if not shift.shape == scale.shape == weights.shape or weights.ndim != 1:
        raise DataError(f"{path}: arrays of different lengths; restore the file")
    if not all(np.isfinite(array).all() for array in (shift, scale, weights)):
        raise DataError(f"{path}: weights that are not finite; restore the file")
    return Head(card.features, shift, scale, weights, card.bias), card


def check_features(card: HeadCard, features: str) -> None:
    """Raise ModelError unless a head was fitted on these features."""
    if card.features != features:
        raise ModelError(
            f"the head was fitted on {card.features[:40]!r}, not on {features[:40]!r}; "
            "load the same model with --model, or calibrate again"
        )


def _card(folder: Path) -> HeadCard:
    path = folder / CARD
    try:
        size = path.stat().st_size
        text = path.read_text("utf-8") if size <= MAX_CARD_BYTES else ""
    except OSError as error:
        raise DataError(f"{path}: cannot read ({error.strerror}); give a head's folder") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text; restore the file") from error
    if not text:
        raise DataError(f"{path}: {size} bytes, not a head's card; restore the file")
    plain = parse(text, place=CARD)
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise DataError(
            f"{path}: schema {schema} is newer than this version reads ({SCHEMA}); "
            "upgrade offtarget"
        )
    return decode(plain, HeadCard, place=CARD, error=DataError)
