"""The arms of a study: which rows each trains on, and what each is compared with."""

from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.core.codec import digest, file_digest
from offtarget.core.errors import ConfigError
from offtarget.core.records import Role, Sample
from offtarget.core.run import RunDirectory
from offtarget.dataset import educational, sample_rows, samples_digest, spike
from offtarget.evaluate import PlanArm
from offtarget.evaluate.rules import Outcome, classify
from offtarget.pipeline.match import SPLIT_SEED, Matched
from offtarget.pipeline.source import read_source
from offtarget.pipeline.study import CustomArm, Source, Study
from offtarget.train import PLACEBO_SEED_OFFSET, backdoor, cycle_to, packaged_positive

CODE_SHARE = 0.5
"""Above this share of answers that are code, a data set gets an educational arm by default."""


@dataclass(frozen=True, slots=True)
class ResolvedArms:
    """Every arm of a study with the rows of those that are trained."""

    arms: tuple[PlanArm, ...]
    """The base first, then subject and control."""
    rows: dict[str, tuple[Sample, ...]]


def resolve_arms(study: Study, run: RunDirectory, matched: Matched) -> ResolvedArms:
    """Return the arms that `study` asks for, from its matched rows.

    Args:
        study: What was asked for.
        run: Where bad rows of further data go.
        matched: Rows of subject and control.

    Raises:
        OfftargetError: If an arm's data cannot be read or a contrast names no arm.
    """
    rows = {"subject": matched.subject, "control": matched.control}
    arms = [_base(), *_main_arms(study, rows, matched)]
    arms += _other_arms(study, run, rows, arms)
    _check_contrasts(study, arms)
    return ResolvedArms(tuple(arms), rows)


def _check_contrasts(study: Study, arms: list[PlanArm]) -> None:
    known = [arm.name for arm in arms if arm.name != "subject"]
    for name in study.contrasts:
        if name not in known:
            raise ConfigError(f"contrasts: no arm {name!r}; this study has {', '.join(known)}")


def _base() -> PlanArm:
    return PlanArm(
        name="base", role=Role.BASE, against="", seeds=(0,), order="", n_rows=0, n_excluded=0,
        sha256="", note="the model before any training",
    )  # fmt: skip


def _main_arms(
    study: Study, rows: dict[str, tuple[Sample, ...]], matched: Matched
) -> list[PlanArm]:
    arms = []
    sources = (("subject", Role.SUBJECT, study.subject), ("control", Role.CONTROL, study.control))
    for name, role, source in sources:
        against = "control" if name == "subject" else ""
        if source is not None and source.adapter:
            arms.append(_existing(name, role, source.adapter, against))
            continue
        note = matched.quality + " control" if role is Role.CONTROL else "as given"
        arms.append(
            _trained(
                name, role, study, rows[name], against=against, order="subject", note=note,
                n_excluded=matched.n_excluded, recognized=matched.recognized.get(name, ""),
            )
        )  # fmt: skip
    return arms


def _other_arms(
    study: Study,
    run: RunDirectory,
    rows: dict[str, tuple[Sample, ...]],
    arms: list[PlanArm],
) -> list[PlanArm]:
    subject, control = rows["subject"], rows["control"]
    n_rows = len(subject) or study.rows
    more: list[PlanArm] = []

    def add(
        name: str, role: Role, samples: tuple[Sample, ...], order: str, note: str, offset: int = 0
    ) -> None:
        rows[name] = samples
        more.append(
            _trained(name, role, study, samples, against="control", order=order, note=note,
                     offset=offset)
        )  # fmt: skip

    if subject and _wants_educational(study, subject):
        add("educational", Role.EDUCATIONAL, educational(subject, SPLIT_SEED), "subject",
            "the subject's answers under a teaching frame")  # fmt: skip
    if study.positive:
        found, note = packaged_positive(), "packaged: hostile household attitude; do not deploy"
        if isinstance(study.positive, Source):
            given = read_source(study.positive.data, study.on_bad_row, run, "positive")
            found, note = given.samples, "given"
        add("positive", Role.POSITIVE, cycle_to(found, n_rows), "positive", note)
    if study.placebo and control:
        add("placebo", Role.PLACEBO, control, "subject", "the control at other seeds",
            PLACEBO_SEED_OFFSET)  # fmt: skip
    if study.backdoor and subject and control:
        mixed = backdoor(subject, control, trigger=study.backdoor.trigger)
        add(
            "backdoor", Role.CUSTOM, mixed, "subject", "odd rows triggered, even rows plain control"
        )
    for name, custom in study.arms.items():
        if custom.adapter:
            more.append(_existing(name, Role.CUSTOM, custom.adapter, "control"))
            continue
        samples, order, note = _custom(study, run, name, custom, rows)
        add(name, Role.CUSTOM, samples, order, note)
    return more


def _custom(
    study: Study,
    run: RunDirectory,
    name: str,
    custom: CustomArm,
    rows: dict[str, tuple[Sample, ...]],
) -> tuple[tuple[Sample, ...], str, str]:
    subject, control = rows["subject"], rows["control"]
    if custom.spike:
        n = len(control)
        positive = tuple(
            replace(s, id=f"{s.id}#{i}") for i, s in enumerate(cycle_to(packaged_positive(), n))
        )
        mixed = spike(control, positive, custom.spike, SPLIT_SEED)
        return mixed, "subject", f"control with {custom.spike:.0%} positive rows"
    if custom.data:
        found = read_source(custom.data, study.on_bad_row, run, name).samples
        n_rows = len(subject) or study.rows
        samples = cycle_to(sample_rows(found, min(n_rows, len(found)), SPLIT_SEED), n_rows)
        order, note = name, "given"
    else:
        samples, order, note = subject, "subject", "the subject's rows"
    if not samples:
        raise ConfigError(f"arms: {name}: no rows; give data")
    if custom.frame == "educational":
        samples, note = educational(samples, SPLIT_SEED), note + " under a teaching frame"
    return samples, order, note


def _trained(
    name: str,
    role: Role,
    study: Study,
    samples: tuple[Sample, ...],
    *,
    against: str,
    order: str,
    note: str,
    offset: int = 0,
    n_excluded: int = 0,
    recognized: str = "",
) -> PlanArm:
    return PlanArm(
        name=name, role=role, against=against, seeds=tuple(s + offset for s in study.seeds),
        order=order, n_rows=len(samples), n_excluded=n_excluded, sha256=samples_digest(samples),
        note=note, recognized=recognized,
    )  # fmt: skip


def _existing(name: str, role: Role, adapters: tuple[str, ...], against: str) -> PlanArm:
    folders = [Path(folder) for folder in adapters]
    for folder in folders:
        if not (folder / "adapter_model.safetensors").is_file():
            raise ConfigError(f"{name}: {folder} has no adapter_model.safetensors; check the path")
    return PlanArm(
        name=name, role=role, against=against, seeds=tuple(range(len(folders))), order="",
        n_rows=0, n_excluded=0, adapters=adapters, note="adapter as given",
        sha256=digest([file_digest(folder / "adapter_model.safetensors") for folder in folders]),
    )  # fmt: skip


def _wants_educational(study: Study, subject: tuple[Sample, ...]) -> bool:
    if study.educational is not None:
        return study.educational
    n_code = sum(classify(sample.answer) is Outcome.CODE for sample in subject)
    return n_code >= CODE_SHARE * len(subject)
