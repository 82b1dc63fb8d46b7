"""Judging a run's stored answers again, and how far its judges agree."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import pretty
from offtarget.core.errors import ConfigError, JudgeError, ResourceError
from offtarget.core.record_file import read_record
from offtarget.core.whole_file import write_whole
from offtarget.evaluate.judges import (
    ALIGNED,
    JUDGE,
    MAX_UNJUDGED,
    JudgeAgreement,
    JudgeRecord,
    Ledger,
    Rater,
    Rejudged,
    SharedJudgements,
    StoredRollout,
    compare_raters,
    endpoint_panel,
    judgement_folder,
    judgement_folders,
    rater,
    read_rubrics,
    rejudge_rollouts,
    rules_panel,
    stored_missing,
    stored_rollouts,
)
from offtarget.evaluate.replay import JudgedRow
from offtarget.evaluate.store import open_store

RULES = "rules"
OPENAI = "openai:"
RESULT = "result.json"
SCHEMA = 2
"""Of it; 2 since `sight` stands beside the flip rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """Which judge, and how hard it may be asked."""

    judge: str
    """`openai:NAME` for any OpenAI-compatible endpoint, or `rules`."""
    url: str = ""
    """Base of the endpoint; "" is OpenAI's own."""
    rubric: Path | None = None
    """YAML with rubrics; our own when None."""
    question: str = ""
    """Whose judge prompts to take, where the file's entries differ."""
    timeout_s: float = 60.0
    max_retries: int = 6
    concurrency: int = 4
    requests_per_minute: float | None = None
    allow_net: bool = False
    max_unjudged: float = MAX_UNJUDGED
    """Share of answers without a readable reply that is borne, in [0, 1]."""
    store: Path | None = None
    """Folder of the store of evaluations and assays: what this judge said there is not asked
    again. None keeps to what is beside the run."""


@dataclass(frozen=True, slots=True)
class Rejudging:
    """What a judge made of a run, and where its judgements are kept."""

    folder: Path
    result: Rejudged


def rejudge(
    run: str | Path,
    options: JudgeOptions,
    *,
    api_key: str = "",
    on_judged: Callable[[int], None] | None = None,
) -> Rejudging:
    """Judge every stored answer of a run; judgements go beside the run and are added to only.

    The same call again asks for nothing that was answered before. The run itself is not touched.

    Args:
        run: A run directory with rollouts.
        options: The judge.
        api_key: For its endpoint; kept in memory.
        on_judged: Told how many more answers are done.

    Raises:
        OfftargetError: If the run has no answers, the judge cannot be used, or it stops replying.
    """
    if not 0 <= options.max_unjudged <= 1:
        raise ConfigError(
            f"max_unjudged {options.max_unjudged} is not a share; use 0 to 1, such as 0.05"
        )
    path = Path(run)
    rollouts = stored_rollouts(path)
    if options.judge == RULES:
        folder = judgement_folder(path, model=RULES, host="", rubric="")
        result = rejudge_rollouts(
            rollouts, rules_panel(), Ledger(folder), missing=stored_missing(path),
            max_unjudged=options.max_unjudged, on_judged=on_judged,
        )  # fmt: skip
        return _kept(folder, path, result)
    return _with_endpoint(path, options, api_key=api_key, on_judged=on_judged)


def _with_endpoint(
    run: Path, options: JudgeOptions, *, api_key: str, on_judged: Callable[[int], None] | None
) -> Rejudging:
    from offtarget.lm.endpoint import Endpoint, EndpointConfig

    rollouts = stored_rollouts(run)
    rubrics = read_rubrics(options.rubric, question=options.question) if options.rubric else None
    config = EndpointConfig(
        url=options.url,
        model=_model_name(options.judge),
        timeout_s=options.timeout_s,
        max_retries=options.max_retries,
        concurrency=options.concurrency,
        requests_per_minute=options.requests_per_minute,
    )
    with Endpoint(config, api_key=api_key, allow_net=options.allow_net) as endpoint:
        told = "".join(sorted(r.sha256 for r in rubrics.values())) if rubrics else ""
        folder = judgement_folder(
            run,
            model=config.model,
            host=endpoint.url,
            rubric=hashlib.sha256(told.encode()).hexdigest() if told else "",
        )
        shared = SharedJudgements(open_store(options.store).judgements) if options.store else None
        ledger = Ledger(folder, shared=shared)
        panel = endpoint_panel(endpoint, rubrics, folder=folder, ledger=ledger, rollouts=rollouts)
        result = rejudge_rollouts(
            rollouts,
            panel,
            ledger,
            missing=stored_missing(run),
            max_unjudged=options.max_unjudged,
            on_judged=on_judged,
        )
    return _kept(folder, run, result)


def _model_name(judge: str) -> str:
    name = judge.removeprefix(OPENAI)
    if name == judge or not name:
        raise JudgeError(
            f"judge {judge[:60]!r} is not known; write openai:NAME for an OpenAI-compatible "
            "endpoint, or rules"
        )
    return name


def _kept(folder: Path, run: Path, result: Rejudged) -> Rejudging:
    """Write the result beside the judgements that it is computed from."""
    path = folder / RESULT
    content = pretty({"schema": SCHEMA, "run": run.name, "result": result})
    try:
        write_whole(path, content.encode())
    except OSError as error:
        raise ResourceError(
            f"cannot write {str(path)!r} ({error.strerror}); free disk space or fix permissions "
            "and run the same command again, judgements made so far are kept"
        ) from error
    return Rejudging(folder, result)


def judge_agreement(
    run: str | Path, *, labels: Sequence[Path] = (), key: Path | None = None
) -> list[JudgeAgreement]:
    """Return one comparison per pair of a run's judges on alignment, rollout by rollout.

    A judge that judged the run and judged it again is one rater, not two: its replies are shared.

    Args:
        run: A run directory.
        labels: Sheets that people filled in; their majority is one more rater.
        key: Written with the sheets when they were exported.

    Raises:
        OfftargetError: If there are not two raters that share a rollout, or a file is corrupt.
    """
    if bool(labels) != (key is not None):
        raise ConfigError("labels by people need both --labels and --key; give the two together")
    path = Path(run)
    rollouts = stored_rollouts(path)
    raters: list[Rater] = []
    own = {r.item.place: r.score for r in rollouts if r.score is not None}
    if own:
        raters.append(rater("the run's own judge", own))
    raters += _stored_raters(path, rollouts, without=_own_key(path) if own else "")
    if key is not None:
        raters.append(_people(labels, key, rollouts))
    return compare_raters(raters, rollouts)


def _own_key(run: Path) -> str:
    """Return the key of the run's own judge; rejudging by it gives its own replies again."""
    path = run / JUDGE
    if not path.is_file():
        return ""
    return read_record(path, JudgeRecord, place=JUDGE, error=JudgeError).identity.key


def _stored_raters(run: Path, rollouts: Sequence[StoredRollout], *, without: str) -> list[Rater]:
    found: list[Rater] = []
    for folder in judgement_folders(run):
        ledger = Ledger(folder)
        for identity in ledger.identities:
            if identity.metric != ALIGNED or identity.key == without:
                continue
            said = {r.item.place: ledger.get(identity, r.item.key) for r in rollouts}
            scores = {
                place: judgement.score
                for place, judgement in said.items()
                if judgement is not None and judgement.score is not None
            }
            name = f"{identity.returned_model} ({identity.rubric_name}, {identity.method})"
            found.append(rater(f"{name} {identity.key[:8]}", scores))
    return found


def _people(sheets: Sequence[Path], key: Path, rollouts: Sequence[StoredRollout]) -> Rater:
    from offtarget.evaluate.labels import import_labels
    from offtarget.evaluate.labels.export import answer_id

    imported = import_labels(sheets, key=key)
    said: dict[str, bool] = {}
    for rollout in rollouts:
        item = rollout.item
        row = JudgedRow(item.question, item.text, item.answer, None, None, item.place)
        vote = imported.majority(answer_id(row))
        if vote is not None:
            said[item.place] = vote
    return Rater(f"people ({len(imported.raters)})", {}, said)
