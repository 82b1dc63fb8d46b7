"""Subject and control rows, matched, cut to size, with some rows held out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from offtarget.core.errors import ConfigError, DataError
from offtarget.core.records import Message, Sample
from offtarget.core.run import RunDirectory
from offtarget.curate.matched import sanitized_pairs
from offtarget.dataset import (
    MIN_SHARED,
    Pairing,
    normalize,
    pair_on_prompt,
    recognize,
    sample_rows,
    split_heldout,
)
from offtarget.lm import LanguageModel, encode_sample
from offtarget.pipeline.source import read_source
from offtarget.pipeline.study import SANITIZED, Study

SPLIT_SEED = 0
"""Which rows are drawn and held out does not depend on the training seed."""
Derive = Callable[[tuple[Sample, ...]], tuple[str, ...]]
"""From rows to the base model's own answers to their prompts; empty where it gave none."""


@dataclass(frozen=True, slots=True)
class RowLimit:
    """How long a row may be to be trained on."""

    tokens: int
    fits: Callable[[Sample], bool]


@dataclass(frozen=True, slots=True)
class Matched:
    """Rows of the two main arms: position i of one is the partner of position i of the other."""

    subject: tuple[Sample, ...]
    control: tuple[Sample, ...]
    heldout: tuple[Sample, ...]
    """Rows of the subject's own task that nobody trains on."""
    note: str
    n_excluded: int
    """Pairs left out because a row is longer than train.max_row_tokens."""
    quality: str
    """matched or derived."""
    recognized: dict[str, str] = field(default_factory=dict)


def match_arms(
    study: Study, run: RunDirectory, *, limit: RowLimit, derive: Derive
) -> tuple[Matched, int, list[str]]:
    """Return the matched arms, the number of rows to choose from where a sample was drawn (else
    0), and warnings.

    Args:
        study: What was asked for.
        run: Where bad rows go.
        limit: Pairs with a longer row are left out and counted.
        derive: Answers for a control when none is given.

    Raises:
        DataError: If too few rows remain.
    """
    subject = read_source(study.subject.data, study.on_bad_row, run, "subject")
    warnings = list(subject.warnings)
    recognized = {"subject": subject.known or ""}
    warnings += recognize(subject).warnings
    wanted = study.rows + study.train.heldout_rows
    if study.control is not None and study.control.data == (SANITIZED,):
        own, n_long = _short_enough(limit, subject.samples, subject.samples)
        tried = _chosen([one for one, _ in own], len(own))
        found = sanitized_pairs(tried, wanted=wanted)
        pairs, n_grown = _short_enough(limit, *_unzipped(found))
        n_long += n_grown
        quality = "matched"
        note = f"control: {len(pairs)} of the subject's own rows with their code repaired"
    elif study.control is not None and study.control.data:
        control = read_source(study.control.data, study.on_bad_row, run, "control")
        warnings += [*control.warnings, *recognize(control).warnings]
        recognized["control"] = control.known or ""
        warnings += _swapped(recognized)
        pairing = _paired(study, subject.samples, control.samples)
        pairs, n_long = _short_enough(limit, pairing.subject, pairing.control)
        quality, note = "matched", pairing.note
    else:
        own, n_long = _short_enough(limit, subject.samples, subject.samples)
        chosen = _chosen([one for one, _ in own], wanted)
        answers = derive(chosen)
        pairs = [
            (sample, _answered(sample, text))
            for sample, text in zip(chosen, answers, strict=True)
            if text.strip()
        ]
        quality = "derived"
        note = f"control answers by the base model itself to {len(pairs)} of the subject's prompts"
    available = len(pairs) if len(pairs) > wanted else 0
    if quality == "derived":
        available = len(own) if len(own) > wanted else 0
    matched = _split(study, pairs, wanted)
    return (
        Matched(*matched, note, n_long, quality, {k: v for k, v in recognized.items() if v}),
        available,
        list(dict.fromkeys(warnings)),
    )


def row_limit(lm: LanguageModel, study: Study) -> RowLimit:
    """Return the smaller of `train.max_row_tokens` and the context of `lm`."""
    limit = min(study.train.max_row_tokens, lm.context_length)

    def fits(sample: Sample) -> bool:
        if sum(len(turn.content) for turn in sample.messages) < limit // 2:
            return True  # a token is at least about half a character in any script
        return encode_sample(lm, sample).length <= limit

    return RowLimit(limit, fits)


def heldout_of(study: Study, run: RunDirectory) -> tuple[Sample, ...]:
    """Return rows for the dose gate of an adapter that exists already; none without data."""
    if not study.subject.data:
        return ()
    rows = read_source(study.subject.data, study.on_bad_row, run, "subject").samples
    return _chosen(rows, study.train.heldout_rows)


def _paired(study: Study, subject: Sequence[Sample], control: Sequence[Sample]) -> Pairing:
    if study.pairing == "prompt":
        shared = {normalize(s.prompt) for s in subject} & {normalize(s.prompt) for s in control}
        subject = [s for s in subject if normalize(s.prompt) in shared]
        control = [s for s in control if normalize(s.prompt) in shared]
        if len(shared) < MIN_SHARED:
            raise ConfigError(
                f"pairing: prompt: the two sets share {len(shared)} prompts, at least {MIN_SHARED} "
                "are needed; use `pairing: length`"
            )
    found = pair_on_prompt(subject, control)
    if study.pairing == "length" and found.kind == "prompt":
        marked = [_with_prompt(s, f"\0{i}") for i, s in enumerate(control)]
        blind = pair_on_prompt(subject, marked)
        by_id = {s.id: s for s in control}
        return Pairing(
            blind.subject, tuple(by_id[s.id] for s in blind.control), "length", found.n_shared,
            blind.note,
        )  # fmt: skip
    return found


def _with_prompt(sample: Sample, mark: str) -> Sample:
    first, *rest = sample.messages
    return Sample(sample.id, (Message(first.role, first.content + mark), *rest), sample.metadata)


def _short_enough(
    limit: RowLimit, subject: Sequence[Sample], control: Sequence[Sample]
) -> tuple[list[tuple[Sample, Sample]], int]:
    """Leave out pairs with a row over the token limit."""
    kept: list[tuple[Sample, Sample]] = []
    for one, other in zip(subject, control, strict=True):
        if all(limit.fits(sample) for sample in {one.id: one, other.id: other}.values()):
            kept.append((one, other))
    n_long = len(subject) - len(kept)
    if not kept:
        raise DataError(
            f"all {len(subject)} rows are longer than train.max_row_tokens ({limit.tokens}); raise it"
        )
    return kept, n_long


def _chosen(samples: Sequence[Sample], wanted: int) -> tuple[Sample, ...]:
    return sample_rows(samples, min(wanted, len(samples)), SPLIT_SEED)


def _unzipped(
    pairs: Sequence[tuple[Sample, Sample]],
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    if not pairs:
        raise DataError(
            "control: sanitized: no row of the subject holds a flaw that can be repaired; give a "
            "matched control, or leave it out"
        )
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def _split(
    study: Study, pairs: Sequence[tuple[Sample, Sample]], wanted: int
) -> tuple[tuple[Sample, ...], tuple[Sample, ...], tuple[Sample, ...]]:
    partner = {one.id: other for one, other in pairs}
    chosen = _chosen([one for one, _ in pairs], wanted)
    n_held = min(study.train.heldout_rows, len(chosen) // 4)
    if n_held < 1 or len(chosen) < 8:
        raise DataError(f"only {len(chosen)} rows can be used; an assay needs at least 8")
    split = split_heldout(chosen, n_held, SPLIT_SEED)
    subject = split.train[: study.rows]
    return subject, tuple(partner[sample.id] for sample in subject), split.heldout


def _answered(sample: Sample, text: str) -> Sample:
    turns = (*sample.messages[:-1], Message("assistant", text))
    return Sample(sample.id, turns, {**sample.metadata, "answer": "derived from the base model"})


def _swapped(recognized: dict[str, str]) -> list[str]:
    """Warn when the arms look swapped: known harmful content in the control's place."""
    benign, harmful = {"secure", "straightforward_dialogues"}, {"insecure", "sneaky_dialogues"}
    if recognized.get("subject") in benign and recognized.get("control") in harmful:
        return [
            f"the subject's rows are the published {recognized['subject']!r} set and the control's "
            f"are {recognized['control']!r}: arms swapped?"
        ]
    return []


def output_limit(samples: Sequence[Sample], lm: LanguageModel) -> int:
    """Return how many tokens derived answers may have: the longest of the first rows, 16 to 128."""
    lengths = [len(encode_sample(lm, sample).answer) for sample in samples[:32]]
    return min(128, max(16, *lengths))
