"""The plan: the study resolved and locked before the first sample is drawn."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from offtarget.core.codec import decode, parse, read_lines, to_builtins, write_lines
from offtarget.core.errors import ConfigError
from offtarget.core.records import Message, Role, Sample
from offtarget.core.yamlfile import read_yaml
from offtarget.evaluate.judge import JudgeConfig
from offtarget.evaluate.rollouts import RolloutConfig
from offtarget.lm import Arithmetic
from offtarget.train import TrainConfig

PLAN_SCHEMA = 1
PACKAGES = ("offtarget", "torch", "transformers", "peft", "numpy", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanArm:
    """One arm, resolved."""

    name: str
    role: Role
    against: str
    """Arm it is compared with; empty for base and control."""
    seeds: tuple[int, ...]
    """Training seeds; the base has the one seed 0, for its rollouts."""
    order: str
    """Arm whose row lengths set the batches."""
    n_rows: int
    n_excluded: int
    sha256: str
    """Of its rows in data/ARM.jsonl; of its adapters for an arm that exists already."""
    adapters: tuple[str, ...] = ()
    note: str = ""
    recognized: str = ""
    """Published data set whose content it has."""

    @property
    def is_trained(self) -> bool:
        """Whether this run trains it."""
        return self.role is not Role.BASE and not self.adapters


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run depends on; with data/ it replays the run."""

    schema: int
    name: str
    title: str
    model: str
    """Reference it is loaded by."""
    model_name: str
    """As shown to people."""
    model_sha256: str
    arithmetic: Arithmetic
    train: TrainConfig
    arms: tuple[PlanArm, ...]
    subject: str
    control: str
    contrasts: tuple[str, ...]
    tolerance: float
    dose_margin: float
    excluded_categories: tuple[str, ...]
    suite: str
    suite_sha256: str
    trigger: str
    rollouts: RolloutConfig | None
    judge: JudgeConfig | None
    pairing: str
    control_quality: str
    warnings: tuple[str, ...]
    n_rows_available: int
    """Rows given for the subject when a sample of them was drawn, else 0."""
    versions: dict[str, str]

    @property
    def asks_judge(self) -> JudgeConfig | None:
        """The judge of the sampled answers; None without one or without answers."""
        return self.judge if self.rollouts is not None else None


def write_plan(plan: Plan) -> bytes:
    """Return a plan as YAML with sorted keys."""
    text: str = yaml.safe_dump(to_builtins(plan), sort_keys=True, allow_unicode=True, width=100)
    return text.encode()


def read_plan(path: Path) -> Plan:
    """Return the plan in a run's plan.yaml.

    Raises:
        ConfigError: If it is missing, malformed or of a newer schema.
    """
    raw = read_yaml(path, what="plan", error=ConfigError)
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if isinstance(schema, int) and schema > PLAN_SCHEMA:
        raise ConfigError(
            f"{path.name}: schema {schema} is newer than this version reads ({PLAN_SCHEMA}); "
            "upgrade offtarget"
        )
    return decode(raw, Plan, place=path.name)


def current_versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_samples(samples: tuple[Sample, ...]) -> bytes:
    """Return samples as JSON Lines, one record a row, ids and metadata kept."""
    return write_lines(samples)


def read_samples(path: Path) -> tuple[Sample, ...]:
    """Read back what `write_samples` wrote."""
    samples = []
    for number, text in read_lines(path):
        raw = parse(text, place=f"{path.name}:{number}")
        turns = tuple(Message(turn["role"], turn["content"]) for turn in raw["messages"])
        samples.append(Sample(raw["id"], turns, raw["metadata"]))
    return tuple(samples)
