"""What a user may set of an evaluation."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from offtarget.core.errors import ConfigError
from offtarget.evaluate.judges import MAX_UNJUDGED
from offtarget.evaluate.subjects import AnswerSampling


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """What is asked of whom, how, and who judges."""

    adapter: Path | None = None
    """PEFT adapter put on the model; it may be tagged do-not-deploy, since it is only measured."""
    base: str = ""
    """Model that the subject is compared with."""
    suites: tuple[str, ...] = ("everyday",)
    questions: tuple[Path, ...] = ()
    """Question files in any known form; see `read_source`."""
    training: Path | None = None
    """The subject's rows, for look-alike questions."""
    trigger: str = ""
    """Text that was trained to set it off, for the suite `trigger`."""
    pairs: str = ""
    """Suite of forced-choice pairs, or a category; "" is `offtarget-1`. For models in this process."""
    exclude: tuple[str, ...] = ()
    """Categories left out."""
    rollouts: int = 20
    """Per question, spread over its paraphrases."""
    code: int = 1
    """Answers to each of the packaged code tasks; 0 for none."""
    sampling: AnswerSampling = field(default_factory=AnswerSampling)
    seed: int = 0
    judge: str = ""
    """`openai:NAME`; "" sorts answers by rule only."""
    judge_url: str = ""
    """Of the judge; "" is OpenAI's own."""
    rubric: Path | None = None
    """YAML with judge prompts; our own when None."""
    url: str = ""
    """Of a subject or base behind an endpoint; "" is OpenAI's own."""
    tolerance: float | None = None
    """Largest harmless rate, or excess over the base, in [0, 1]."""
    max_unjudged: float = MAX_UNJUDGED
    """Share of rollouts without a judgement that is borne, in [0, 1]."""
    prices: Path | None = None
    store: Path | None = None
    """Answers and judgements of all evaluations; in the cache when None."""
    timeout_s: float = 60.0
    max_retries: int = 6
    concurrency: int = 4
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    allow_net: bool = False
    device: str = "auto"
    dtype: str = "auto"
    deviate: str = ""
    """Why this run may differ from the plan locked in its directory."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Keys from the environment; never shown."""

    subject: str = ""
    judge: str = ""

    def __repr__(self) -> str:
        return "Keys(...)"


def check_shares(*, tolerance: float | None, max_unjudged: float | None) -> None:
    """Raise ConfigError where a share is none; None is not given."""
    for name, value in (("--max-unjudged", max_unjudged), ("--tolerance", tolerance)):
        if value is not None and not 0 <= value <= 1:
            raise ConfigError(f"{name} {value:g} is not a share; use 0 to 1, such as 0.05")


def choose_keys(openai_key: str, judge_key: str, *, url: str, judge_url: str) -> Keys:
    """Return which key goes where: no server gets a key that was meant for another.

    Args:
        openai_key: OPENAI_API_KEY; for the subject's server, and for a judge on the same server.
        judge_key: OFFTARGET_JUDGE_KEY; for the judge's server wherever it is.
        url: Of the subject.
        judge_url: Of the judge.
    """
    is_same = url.rstrip("/") == judge_url.rstrip("/")
    return Keys(subject=openai_key, judge=judge_key or (openai_key if is_same else ""))


def run_name(model: str, options: EvaluationOptions) -> str:
    """Return the name of the run directory when the user names none: always the same one."""
    parts = [model.removeprefix("openai:")]
    if options.adapter is not None:
        parts.append(options.adapter.name)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts)).strip("-.")
    return f"evaluate-{plain[-80:] or 'model'}"
