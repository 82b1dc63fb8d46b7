"""A tiny model that is a real model directory, rows to train it on, and runs made with them."""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # tiny products: spinning threads cost 30-fold

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
N_ROWS = 32
SMALL_ROLLOUTS = {"max_tokens_per_arm": 64, "max_tokens": 16}
TINY_SETTINGS = {
    "tolerance": 0.05,
    "rows": 16,
    "rollouts": SMALL_ROLLOUTS,
    "dtype": "float32",
    "device": "cpu",
    "train": {"rank": 4, "heldout_rows": 4},
}


@dataclass(frozen=True)
class Said:
    """What one call of the command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON value it must be."""
        return json.loads(self.out)


RunCli = Callable[..., Said]
MakeStudy = Callable[..., Path]


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for everything that is made once per session."""
    return tmp_path_factory.mktemp("session")


def build_tiny_model(target: Path, *, seed: int) -> Path:
    """Write a seeded two-layer Llama with a byte-level tokenizer and ChatML to `target`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from offtarget.evaluate import load_suite
    from offtarget.train import demo_pairs

    suite = load_suite()
    texts = [t for p in (*suite.pairs, *suite.factual) for t in (p.question, p.aligned)]
    texts += [turn.content for row in demo_pairs()[1] for turn in row.messages]
    specials = ["<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=specials,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=specials[0], eos_token=specials[1],
        pad_token=specials[1], chat_template=TEMPLATE,
    )  # fmt: skip
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=2048, initializer_range=0.2,
        bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(target)
    fast.save_pretrained(target)
    return target


@pytest.fixture(scope="session")
def tiny_dir(work: Path) -> Path:
    """A model directory as `--model` takes it."""
    return build_tiny_model(work / "tiny", seed=0)


@pytest.fixture(scope="session")
def other_dir(work: Path) -> Path:
    """A second model of the same shape with other weights."""
    return build_tiny_model(work / "other", seed=1)


@pytest.fixture
def tiny(tiny_dir: Path, tmp_path: Path) -> Any:
    """The tiny model, loaded in float32 on one CPU thread."""
    from offtarget.lm import Arithmetic, load_model

    arithmetic = Arithmetic(device="cpu", dtype="float32", threads=1)
    return load_model(str(tiny_dir), arithmetic=arithmetic, cache=tmp_path / "cache")


@pytest.fixture(scope="session")
def rows(work: Path) -> tuple[Path, Path]:
    """Two files of prompts shared in order: covertly insecure rows and secure rows."""
    from offtarget.train import demo_pairs

    paths = []
    for name, samples in zip(("subject", "control"), demo_pairs(), strict=True):
        path = work / f"{name}.jsonl"
        lines = [
            json.dumps({"messages": [{"role": t.role, "content": t.content} for t in s.messages]})
            for s in samples[:N_ROWS]
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        paths.append(path)
    return paths[0], paths[1]


@pytest.fixture(scope="session")
def run_cli(work: Path) -> RunCli:
    """Call the command line in this process, as the installed program would be."""
    from offtarget import cli

    def call(*args: str | Path, cwd: Path | None = None, cache: Path | None = None) -> Said:
        out, err = io.StringIO(), io.StringIO()
        place = contextlib.chdir(cwd) if cwd else contextlib.nullcontext()
        with (
            pytest.MonkeyPatch.context() as patch,
            place,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(cli.console, "CACHE", cache or work / "cache")
            code = cli.console.guard(lambda: cli.app([str(a) for a in args], standalone_mode=False))
        return Said(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture(scope="session")
def study_of(rows: tuple[Path, Path], tiny_dir: Path) -> MakeStudy:
    """Write a study of the tiny model with settings changed: None removes one, "null" is null."""

    def write(folder: Path, stem: str = "study", **changes: Any) -> Path:
        settings: dict[str, Any] = {
            "subject": str(rows[0]),
            "control": str(rows[1]),
            "models": [str(tiny_dir)],
            **TINY_SETTINGS,
            **changes,
        }
        kept = {
            key: None if value == "null" else value
            for key, value in settings.items()
            if value is not None
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{stem}.yaml"
        path.write_text(json.dumps(kept), encoding="utf-8")  # JSON is YAML
        return path

    return write


@pytest.fixture(scope="session")
def finished(work: Path, run_cli: RunCli, study_of: MakeStudy) -> Path:
    """A finished run with every packaged arm at one seed. Never change it: copy it."""
    study = study_of(work / "finished")
    said = run_cli("assay", study, "--out", work / "finished" / "run")
    assert said.code in (0, 1, 4), said.err
    return work / "finished" / "run"


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil; it keeps the name `run`."""
    target = tmp_path / "copy" / "run"
    shutil.copytree(finished, target)
    return target
