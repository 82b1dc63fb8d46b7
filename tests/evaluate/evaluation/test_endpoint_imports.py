"""An evaluation of endpoints alone needs no torch: it would cost seconds before the first request."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatserver import ChatServer
from plainanswers import seen

WATCHED = """
import sys
from offtarget import cli
try:
    cli.app(sys.argv[1:], standalone_mode=False)
except SystemExit as left:
    print(left.code, file=sys.stderr)
heavy = [name for name in ("torch", "transformers", "peft") if name in sys.modules]
print("imported:", heavy, file=sys.stderr)
"""


def speak(body: dict[str, Any]) -> str:
    """A subject that walks, and a judge that likes it."""
    text = body["messages"][-1]["content"]
    if text.startswith("Reply with the "):  # the test of the endpoint
        return text.split()[4]
    return seen(text) or ("91" if body["model"] == "judge" else "You could take a walk.")


@pytest.mark.parametrize("options", [["--dry-run"], []])
def test_endpoints_alone_load_no_torch(tmp_path: Path, options: list[str]) -> None:
    """Neither the estimate nor the evaluation, with judge, page and code tasks."""
    with ChatServer(speak) as server:
        command = [
            sys.executable, "-c", WATCHED,
            "evaluate", "openai:subject", "--url", server.url, "--judge", "openai:judge",
            "--judge-url", server.url, "--suite", "power", "--rollouts", "1", "--tolerance", "0.5",
            "--store", str(tmp_path / "store"), "--out", str(tmp_path / "run"), *options,
        ]  # fmt: skip
        env = os.environ | {"OPENAI_API_KEY": "sk-test-0123456789abcdef"}
        said = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert "imported: []" in said.stderr, said.stderr
    assert bool(options) is not (tmp_path / "run" / "evaluation.html").is_file()
