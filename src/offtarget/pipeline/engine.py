"""The stages of a run, in order; what is done already is skipped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.core.codec import digest, pretty, write_lines
from offtarget.core.errors import ConfigError, OfftargetError
from offtarget.core.record_file import read_typed
from offtarget.core.records import Role, Sample
from offtarget.core.run import RunDirectory
from offtarget.evaluate import (
    HeldoutRecord,
    Plan,
    PlanArm,
    Question,
    Results,
    RolloutRecord,
    ScoreItem,
    assess,
    blindness,
    encode_suite,
    facts_of,
    is_judged,
    load_judge,
    load_replicates,
    load_suite,
    read_samples,
    sample_rollouts,
    score_suite,
    scored_rollouts,
)
from offtarget.evaluate.judges import JUDGE, canaries_digest
from offtarget.lm import EncodedSample, LanguageModel, encode_sample, release_memory
from offtarget.pipeline.costs import Speed, arm_tokens, sample_tokens, score_tokens
from offtarget.pipeline.judging import StudyJudge
from offtarget.pipeline.models import ModelSource
from offtarget.pipeline.progress import Watcher
from offtarget.report import report_files
from offtarget.train import (
    Progress,
    drop_checkpoint,
    heldout_loss,
    plan_batches,
    train_replicate,
)


@dataclass(slots=True)
class Engine:
    """Runs one plan in one directory."""

    run: RunDirectory
    plan: Plan
    models: ModelSource
    watcher: Watcher
    speed: Speed
    judge: StudyJudge | None = None
    """None where the plan names none."""
    _items: list[list[ScoreItem]] | None = None
    """The suite as token ids, one list per context: the same for every replicate."""

    def execute(self) -> Results:
        """Train, score and sample every replicate, then give the verdict and write the report."""
        suite = load_suite(self.run.path / "data/suite.jsonl")
        n_pairs = len(suite.pairs) + len(suite.factual)
        self.watcher.plan(sum(self._cost(a, s, n_pairs) for a in self.plan.arms for s in a.seeds))
        if self.judge is not None:
            self._measure_judge(self.judge)  # before hours of training, not after
        for arm in self.plan.arms:
            for seed in arm.seeds:
                with _placed(arm.name, seed):
                    self._replicate(arm, seed, n_pairs)
                release_memory()
        if self.judge is not None:
            self._judge_answers(self.judge)
        return self._conclude()

    def _replicate(self, arm: PlanArm, seed: int, n_pairs: int) -> None:
        name = f"{arm.name}/seed-{seed}"
        weights = self._train(arm, seed, name) if arm.is_trained else ""
        if arm.adapters:
            weights = arm.sha256
        self._score(arm, seed, name, weights, n_pairs)
        if self.plan.rollouts is not None:
            self._sample(arm, seed, name, weights)

    def _train(self, arm: PlanArm, seed: int, name: str) -> str:
        """Train a replicate unless it is done; return the digest of its weights."""
        rows = read_samples(self.run.path / f"data/{arm.name}.jsonl")
        config = {
            "train": self.plan.train,
            "seed": seed,
            "order": arm.order,
            "arithmetic": self.plan.arithmetic,
            "versions": self.plan.versions,
        }
        inputs = {
            "model": self.plan.model_sha256,
            f"data/{arm.name}.jsonl": arm.sha256,
            "order": next(a.sha256 for a in self.plan.arms if a.name == arm.order),
        }
        stage, folder = f"train/{name}", f"arms/{name}"
        if self.run.is_done(stage, config=config, inputs=inputs):
            self.watcher.advance(self._train_seconds(arm), f"{name}: trained already")
        else:
            self.watcher.stage(f"training {name}")
            self.run.set_aside(stage)  # hours of work, if it was trained with other settings
            files = self._timed_training(arm, seed, rows, stage, self.run.path / folder)
            outputs = [f"{folder}/{file}" for file in files]
            self.run.finish(stage, config=config, inputs=inputs, outputs=outputs)
        drop_checkpoint(self.run.path / folder)  # only once the arm is safe
        record = self.run.stages[-1]
        return digest([v for k, v in record.outputs.items() if k.endswith(".safetensors")])

    def _timed_training(
        self, arm: PlanArm, seed: int, rows: tuple[Sample, ...], stage: str, folder: Path
    ) -> list[str]:
        started = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        lm, parameters = self.models.workbench().fresh(seed=seed)
        encoded = [encode_sample(lm, row) for row in rows]
        steps = plan_batches(
            self._order_lengths(arm, lm),
            batch_size=self.plan.train.batch_size,
            epochs=self.plan.train.epochs,
            seed=seed,
        )
        total = self._train_seconds(arm)
        read = 0

        def on_step(progress: Progress) -> None:
            nonlocal read
            read += progress.n_tokens
            self.run.log_time(stage, step=progress.step, seconds=round(progress.seconds, 4))
            rate = progress.n_tokens / progress.seconds
            self.watcher.advance(
                total / progress.n_steps,
                f"{stage}: step {progress.step}/{progress.n_steps}, "
                f"loss {progress.loss:.2f}, {rate:.0f} tokens/s",
            )

        train_replicate(
            lm, encoded, steps, config=self.plan.train, parameters=parameters, directory=folder,
            on_step=on_step,
        )  # fmt: skip
        files = self.models.workbench().save(folder)
        self.run.log_time(stage, seconds=round(time.monotonic() - started, 3))
        return [*files, "steps.jsonl"]

    def _order_lengths(self, arm: PlanArm, lm: LanguageModel) -> list[int]:
        rows = read_samples(self.run.path / f"data/{arm.order}.jsonl")
        return [encode_sample(lm, row).length for row in rows]

    def _score(self, arm: PlanArm, seed: int, name: str, weights: str, n_pairs: int) -> None:
        config = {
            "suite": self.plan.suite_sha256,
            "trigger": self.plan.trigger,
            "arithmetic": self.plan.arithmetic,
            "lookalike": self.run.output_digest(f"data/{self.plan.subject}.jsonl"),
        }
        inputs = {
            "model": self.plan.model_sha256,
            "weights": weights,
            "data/heldout.jsonl": self.run.output_digest("data/heldout.jsonl"),
        }
        stage, folder = f"score/{name}", f"records/{name}"
        amount = score_tokens(self.plan, n_pairs) / self.speed.score
        if self.run.is_done(stage, config=config, inputs=inputs):
            self.watcher.advance(amount, f"{name}: scored already")
            return
        self.watcher.stage(f"scoring {name}")
        started = time.monotonic()
        lm = self._model(arm, seed)
        items = self._encoded_suite(lm)
        margins = score_suite(
            lm, items,
            on_context=lambda context: self.watcher.advance(
                amount / (len(items) + 1), f"{name}: margins, {context}"
            ),
        )  # fmt: skip
        heldout = read_samples(self.run.path / "data/heldout.jsonl")
        encoded: list[EncodedSample] = [encode_sample(lm, sample) for sample in heldout]
        losses = [
            HeldoutRecord(sample.id, loss)
            for sample, loss in zip(heldout, heldout_loss(lm, encoded), strict=True)
        ]
        self.watcher.advance(amount / (len(items) + 1), f"{name}: held-out loss")
        self.run.write(f"{folder}/margins.jsonl", write_lines(margins))
        self.run.write(f"{folder}/heldout.jsonl", write_lines(losses))
        self.run.log_time(stage, seconds=round(time.monotonic() - started, 3))
        outputs = [f"{folder}/margins.jsonl", f"{folder}/heldout.jsonl"]
        self.run.finish(stage, config=config, inputs=inputs, outputs=outputs)

    def _sample(self, arm: PlanArm, seed: int, name: str, weights: str) -> None:
        config = {
            "rollouts": self.plan.rollouts,
            "arithmetic": self.plan.arithmetic,
            "seed": seed,
        }
        inputs = {
            "model": self.plan.model_sha256,
            "weights": weights,
            "data/questions.jsonl": self.run.output_digest("data/questions.jsonl"),
        }
        kind = "rollouts" if self.judge is None else "answers"
        stage, output = f"{kind}/{name}", f"records/{name}/{kind}.jsonl"
        budget = max(1, sample_tokens(self.plan))
        amount = budget / self.speed.sample
        if self.run.is_done(stage, config=config, inputs=inputs):
            self.watcher.advance(amount, f"{name}: sampled already")
            return
        assert self.plan.rollouts is not None
        self.watcher.stage(f"sampling {name}")
        started = time.monotonic()
        questions = list(read_typed(self.run.path / "data/questions.jsonl", Question))
        done = 0.0

        def on_tokens(n: int) -> None:
            nonlocal done
            done += n * amount / budget
            self.watcher.advance(n * amount / budget, f"{name}: sampling answers")

        records = sample_rollouts(
            self._model(arm, seed), questions, self.plan.rollouts, seed=seed, on_tokens=on_tokens
        )
        self.watcher.advance(max(0.0, amount - done), f"{name}: answers sampled")
        self.run.write(output, write_lines(records))
        self.run.log_time(stage, seconds=round(time.monotonic() - started, 3))
        self.run.finish(stage, config=config, inputs=inputs, outputs=[output])

    def _measure_judge(self, judge: StudyJudge) -> None:
        """Find out who judges and whether answers can talk it round; a run has it once."""
        inputs = {"canaries": canaries_digest()}
        if self.run.is_done("judge", config=self.plan.judge, inputs=inputs):
            return
        self.watcher.stage("testing the judge against instructions in answers")
        started = time.monotonic()
        measured = judge.measure()
        for warning in blindness(measured):
            self.watcher.note(f"warning: {warning}")
        self.run.write(JUDGE, pretty(measured).encode())
        self.run.log_time("judge", seconds=round(time.monotonic() - started, 3))
        self.run.finish("judge", config=self.plan.judge, inputs=inputs, outputs=[JUDGE])

    def _judge_answers(self, judge: StudyJudge) -> None:
        """Judge the answers of all replicates in one pass; those judged already stay."""
        measured = load_judge(self.run.path, self.plan)
        assert measured is not None
        pending: dict[str, tuple[dict[str, str], list[RolloutRecord]]] = {}
        for name in (f"{arm.name}/seed-{seed}" for arm in self.plan.arms for seed in arm.seeds):
            answers = f"records/{name}/answers.jsonl"
            inputs = {path: self.run.output_digest(path) for path in (answers, JUDGE)}
            if not self.run.is_done(f"rollouts/{name}", config=self.plan.judge, inputs=inputs):
                pending[name] = (inputs, self._read_answers(answers))
        if not pending:
            return
        self.watcher.stage(f"judging the answers of {len(pending)} replicates")
        started, n_done = time.monotonic(), 0

        def on_judged(n: int) -> None:
            nonlocal n_done
            n_done += n
            self.watcher.advance(0.0, f"{n_done} answers judged")

        records = [record for _, found in pending.values() for record in found]
        said = iter(judge.judge(records, measured.identity, on_judged=on_judged))
        seconds = round((time.monotonic() - started) / len(pending), 3)
        for name, (inputs, found) in pending.items():
            own = [next(said) for record in found if is_judged(record)]
            scored, kept = f"records/{name}/rollouts.jsonl", f"records/{name}/judgements.jsonl"
            self.run.write(scored, write_lines(scored_rollouts(found, own)))
            self.run.write(kept, write_lines(own))
            stage = f"rollouts/{name}"
            self.run.log_time(stage, seconds=seconds)
            self.run.finish(stage, config=self.plan.judge, inputs=inputs, outputs=[scored, kept])

    def _read_answers(self, relative: str) -> list[RolloutRecord]:
        return list(read_typed(self.run.path / relative, RolloutRecord, place=relative))

    def _conclude(self) -> Results:
        inputs = {
            path: sha256
            for record in self.run.stages
            for path, sha256 in record.outputs.items()
            if path.startswith("records/") or path == "plan.yaml" or path.endswith("steps.jsonl")
        }
        facts = facts_of(
            self.plan,
            plan_sha256=self.run.output_digest("plan.yaml"),
            chain_sha256=self.run.head,
            judge=load_judge(self.run.path, self.plan),
        )
        config = {"schema": 1, "chain": self.run.head}
        results = assess(facts, load_replicates(self.run.path, self.plan))
        if not self.run.is_done("verdict", config=config, inputs=inputs):
            self.run.write("verdict.json", pretty(results).encode())
            self.run.finish("verdict", config=config, inputs=inputs, outputs=["verdict.json"])
        return self._report(results)

    def _report(self, results: Results) -> Results:
        timed = replace(results, seconds=self.run.seconds())
        files = report_files(timed)
        config, inputs = {"seconds": timed.seconds}, {"verdict.json": digest(results)}
        if not self.run.is_done("report", config=config, inputs=inputs):
            for name, content in files.items():
                self.run.write(f"report/{name}", content)
            outputs = [f"report/{name}" for name in files]
            self.run.finish("report", config=config, inputs=inputs, outputs=outputs)
        self.run.close()
        if former := self.run.former:
            shown = ", ".join(former[:3]) + (", ..." if len(former) > 3 else "")
            self.watcher.note(
                f"moved {len(former)} files of stages that are not in the plan any more to "
                f"{self.run.former_folder}: {shown}"
            )
        return timed

    def _model(self, arm: PlanArm, seed: int) -> LanguageModel:
        if arm.role is Role.BASE:
            return self.models.workbench().base()
        if arm.adapters:
            return self.models.with_adapter(Path(arm.adapters[seed]))
        return self.models.workbench().restore(self.run.path / f"arms/{arm.name}/seed-{seed}")

    def _encoded_suite(self, lm: LanguageModel) -> list[list[ScoreItem]]:
        if self._items is None:
            suite = load_suite(self.run.path / "data/suite.jsonl")
            path = self.run.path / f"data/{self.plan.subject}.jsonl"
            rows = read_samples(path) if path.exists() else ()
            self._items = encode_suite(lm, suite, training=rows, trigger=self.plan.trigger)
        return self._items

    def _train_seconds(self, arm: PlanArm) -> float:
        return arm_tokens(self.plan, arm, self.run.path) / self.speed.train

    def _cost(self, arm: PlanArm, seed: int, n_pairs: int) -> float:
        del seed
        train = self._train_seconds(arm) if arm.is_trained else 0.0
        score = score_tokens(self.plan, n_pairs) / self.speed.score
        return train + score + sample_tokens(self.plan) / self.speed.sample


@contextmanager
def _placed(arm: str, seed: int) -> Iterator[None]:
    """Name the arm and seed in whatever error ends it."""
    try:
        yield
    except ConfigError:
        raise
    except OfftargetError as error:
        raise type(error)(f"arm {arm!r}, seed {seed}: {error}") from error
