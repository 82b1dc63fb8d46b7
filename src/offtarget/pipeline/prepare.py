"""From a study to a locked plan: read the data, pair the arms, write what will be trained on."""

from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.core.codec import digest, file_digest, write_lines
from offtarget.core.errors import ConfigError
from offtarget.core.records import Role, Sample
from offtarget.core.run import RunDirectory
from offtarget.dataset import educational, overlap, sample_rows, samples_digest, spike
from offtarget.evaluate import (
    PLAN_SCHEMA,
    Plan,
    PlanArm,
    Suite,
    current_versions,
    everyday_questions,
    load_suite,
    read_questions,
    write_plan,
    write_samples,
)
from offtarget.evaluate.rules import Outcome, classify
from offtarget.lm import Arithmetic, LanguageModel
from offtarget.pipeline.match import SPLIT_SEED, Derive, Matched, heldout_of, match_arms
from offtarget.pipeline.source import read_source
from offtarget.pipeline.study import CustomArm, Source, Study, tolerance_for
from offtarget.train import (
    PLACEBO_SEED_OFFSET,
    POSITIVE_DOMAIN_CATEGORIES,
    backdoor,
    cycle_to,
    packaged_positive,
)

LEAK_THRESHOLD = 0.8
CODE_SHARE = 0.5
"""Above this share of answers that are code, a data set gets an educational arm by default."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with the rows of its arms."""

    plan: Plan
    rows: dict[str, tuple[Sample, ...]]
    heldout: tuple[Sample, ...]


def input_digests(study: Study, model: str, model_sha256: str) -> dict[str, str]:
    """Return what a plan depends on besides the study: models, files and versions by digest."""
    inputs = {f"model:{model}": model_sha256, "versions": digest(current_versions())}
    sources = [study.subject, study.control, *study.arms.values()]
    if isinstance(study.positive, Source):
        sources.append(study.positive)
    names = [name for one in sources if one for name in (*one.data, *one.adapter)]
    for name in [*names, *study.questions, *([study.suite] if study.suite else [])]:
        path = Path(name)
        if path.is_file():
            inputs[f"file:{path.name}:{digest(str(path))[:8]}"] = file_digest(path)
        elif path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file())
            inputs[f"folder:{path.name}:{digest(str(path))[:8]}"] = digest(
                [[str(p.relative_to(path)), file_digest(p)] for p in found]
            )
    return inputs


def prepare(
    study: Study,
    run: RunDirectory,
    lm: LanguageModel,
    *,
    name: str,
    model: str,
    arithmetic: Arithmetic,
    derive: Derive,
) -> Prepared:
    """Resolve `study` for one model, write plan.yaml and data/ into the run, and return both.

    Args:
        study: What was asked for.
        run: Where to write.
        lm: The base model, for token counts.
        name: Of the run, as shown; `study` or `study/model` where there are several.
        model: The model's reference in the study.
        arithmetic: Device, dtype and threads, locked from here on.
        derive: Makes control rows from the base model's own answers when none are given.
    """
    warnings: list[str] = []
    available = 0
    if study.subject.adapter:
        heldout = heldout_of(study, run)
        matched = Matched((), (), heldout, "adapters as given", 0, "matched")
    else:
        matched, available, notes = match_arms(study, run, lm, derive=derive)
        warnings += notes
    rows = {"subject": matched.subject, "control": matched.control}
    arms = [_base(), *_main_arms(study, rows, matched)]
    arms += _other_arms(study, run, rows, arms)
    _check_contrasts(study, arms)
    suite = load_suite(Path(study.suite) if study.suite else None)
    warnings += _leaks(suite, rows)
    plan = _plan(
        study,
        lm,
        tuple(arms),
        suite,
        matched,
        name=name,
        model=model,
        arithmetic=arithmetic,
        warnings=tuple(dict.fromkeys(warnings)),
        n_rows_available=available,
    )
    _write(run, plan, rows, matched.heldout, suite, study)
    return Prepared(plan, rows, matched.heldout)


def _plan(
    study: Study,
    lm: LanguageModel,
    arms: tuple[PlanArm, ...],
    suite: Suite,
    matched: Matched,
    *,
    name: str,
    model: str,
    arithmetic: Arithmetic,
    warnings: tuple[str, ...],
    n_rows_available: int,
) -> Plan:
    return Plan(
        schema=PLAN_SCHEMA,
        name=name,
        title=_title(study),
        model=model,
        model_name=lm.identity.name,
        model_sha256=lm.identity.sha256,
        arithmetic=arithmetic,
        train=study.train,
        arms=arms,
        subject="subject",
        control="control",
        contrasts=study.contrasts,
        tolerance=tolerance_for(study, model),
        dose_margin=study.dose_margin,
        excluded_categories=_excluded(study, suite),
        suite=suite.name,
        suite_sha256=suite.sha256,
        trigger=study.backdoor.trigger if study.backdoor else "",
        rollouts=study.rollouts,
        judge=study.judge,
        pairing=matched.note,
        control_quality=matched.quality,
        warnings=warnings,
        n_rows_available=n_rows_available,
        versions=current_versions(),
    )


def plan_outputs(run: Path, plan: Plan) -> list[str]:
    """Return the files that the plan stage wrote."""
    names = ["plan.yaml", "data/suite.jsonl", "data/questions.jsonl", "data/heldout.jsonl"]
    names += [f"data/{arm.name}.jsonl" for arm in plan.arms if arm.is_trained]
    return names + [f"data/{p.name}" for p in sorted((run / "data").glob("quarantine-*.jsonl"))]


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


def _excluded(study: Study, suite: Suite) -> tuple[str, ...]:
    if isinstance(study.positive, Source):
        return ()
    return tuple(c for c in POSITIVE_DOMAIN_CATEGORIES if c in suite.categories)


def _leaks(suite: Suite, rows: dict[str, tuple[Sample, ...]]) -> list[str]:
    questions = [pair.question for pair in suite.pairs]
    notes = []
    for name, samples in rows.items():
        leaks = overlap(questions, samples, LEAK_THRESHOLD) if samples else []
        if leaks:
            notes.append(
                f"{len(leaks)} evaluation questions also stand in the rows of arm {name!r}: "
                "its margin is not off-target there"
            )
    return notes


def _title(study: Study) -> str:
    names = [Path(n).name for n in (*study.subject.data, *study.subject.adapter)]
    if study.subject.data == ("demo:insecure",):
        return "packaged demo: covertly insecure code"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _write(
    run: RunDirectory,
    plan: Plan,
    rows: dict[str, tuple[Sample, ...]],
    heldout: tuple[Sample, ...],
    suite: Suite,
    study: Study,
) -> None:
    questions = (*everyday_questions(), *read_questions([Path(n) for n in study.questions]))
    for arm in plan.arms:
        if arm.is_trained:
            run.write(f"data/{arm.name}.jsonl", write_samples(rows[arm.name]))
    run.write("data/heldout.jsonl", write_samples(heldout))
    run.write("data/suite.jsonl", write_lines((*suite.pairs, *suite.factual)))
    run.write("data/questions.jsonl", write_lines(questions))
    run.write("plan.yaml", write_plan(plan))
