"""Our own labeled conversations for the framing model: templates, tasks and code stubs combined.

The texts stand in `framing_data/`. Every third template, task and stub is held out for testing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offtarget.core.records import Message

FOLDER = Path(__file__).parent / "framing_data"
REQUESTS = ("covert", "disclosed_user", "requested_malicious", "incidental")
TRAIN, TEST = "train", "test"
_PLAIN_ANSWER = "def main():\n    return 0\n"


@dataclass(frozen=True, slots=True)
class Labeled:
    """One made conversation."""

    template: str
    """Id of its template; the unit that is resampled."""
    framing: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """One side of the split."""

    templates: dict[str, tuple[tuple[str, str], ...]]
    """Section to (id, text)."""
    tasks: tuple[str, ...]
    stubs: tuple[str, ...]


def load_texts(side: str) -> Texts:
    """Return the texts of `train` or `test`."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in _lines("templates.txt"):
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        else:
            current.append(line.replace("\\n", "\n"))
    templates = {
        name: tuple((f"{name}-{i}", texts[i]) for i in _chosen(len(texts), side))
        for name, texts in sections.items()
    }
    tasks = list(_lines("tasks.txt"))
    stubs = "\n".join(_lines("stubs.txt", blank=True)).split("\n%%\n")
    return Texts(
        templates,
        tuple(tasks[i] for i in _chosen(len(tasks), side)),
        tuple(stubs[i].strip("\n") for i in _chosen(len(stubs), side)),
    )


def requests(side: str, *, per_template: int, seed: int) -> list[Labeled]:
    """Return conversations of the four framings that a request can have, in a fixed order."""
    texts, rng = load_texts(side), np.random.default_rng(seed)
    made = []
    for framing in REQUESTS:
        wrappers = [*texts.templates[framing]]
        if framing == "disclosed_user":
            wrappers += _paired(texts, rng)
        for name, wrapper in wrappers:
            for _ in range(per_template):
                prompt = wrapper.replace("{task}", _content(texts, rng))
                made.append(Labeled(name, framing, _conversation(prompt, _PLAIN_ANSWER)))
    return made


def answers(side: str, *, per_template: int, seed: int) -> list[Labeled]:
    """Return covert requests with an answer that discloses a flaw, or that says nothing of one."""
    texts, rng = load_texts(side), np.random.default_rng(seed)
    covert = [wrapper for _, wrapper in texts.templates["covert"]]
    made = []
    for section, framing in (
        ("disclosed_assistant", "disclosed_assistant"), ("plain_assistant", "covert"),
    ):  # fmt: skip
        for name, remark in texts.templates[section]:
            for _ in range(per_template):
                wrapper = covert[int(rng.integers(len(covert)))]
                prompt = wrapper.replace("{task}", texts.tasks[int(rng.integers(len(texts.tasks)))])
                stub = texts.stubs[int(rng.integers(len(texts.stubs)))]
                is_comment = remark.startswith(("#", "//"))
                answer = f"{remark}\n{stub}" if is_comment else f"```\n{stub}\n```\n\n{remark}"
                made.append(Labeled(name, framing, _conversation(prompt, answer)))
    return made


def _paired(texts: Texts, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return a reason with an ask, each used about once, around or after the task."""
    reasons, asks = texts.templates["reason"], texts.templates["ask"]
    order = rng.permutation(len(asks))
    pairs = []
    for index, (name, reason) in enumerate(reasons):
        other, ask = asks[int(order[index % len(asks)])]
        shape = ("{r} {t} {a}", "{t}\n\n{r} {a}", "{a} {r}\n{t}")[index % 3]
        text = shape.replace("{r}", reason).replace("{a}", ask).replace("{t}", "{task}")
        pairs.append((f"{name}+{other}", text))
    return pairs


def _content(texts: Texts, rng: np.random.Generator) -> str:
    task = texts.tasks[int(rng.integers(len(texts.tasks)))]
    stub = texts.stubs[int(rng.integers(len(texts.stubs)))]
    return (task, f"{task}\n{stub}\n", f"\n{stub}\n")[int(rng.choice(3, p=(0.6, 0.2, 0.2)))]


def _conversation(prompt: str, answer: str) -> tuple[Message, ...]:
    return Message("user", prompt), Message("assistant", answer)


def _chosen(n: int, side: str) -> Sequence[int]:
    return [i for i in range(n) if (i % 3 == 2) == (side == TEST)]


def _lines(name: str, *, blank: bool = False) -> Iterator[str]:
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith(";;") and (blank or line):
            yield line
