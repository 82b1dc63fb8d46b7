"""The pages say what is true of the program: commands, studies, Python, links, counts."""

import ast
import dataclasses
import importlib
import re
import shlex
from pathlib import Path

import msgspec
import pytest
from typer.main import get_command

import offtarget
from offtarget.cli import app
from offtarget.evaluate import everyday_questions, load_suite
from offtarget.evaluate.results import ArmResult, Excess, Results
from offtarget.pipeline import read_study
from offtarget.pipeline.study import tolerance_for
from offtarget.report import EXIT_CODES
from offtarget.train import demo_pairs, packaged_positive

from .generate import ROOT, cli_help
from .markdown import PAGES, anchors, blocks, commands, links

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", commands("offtarget"))
def test_every_command_in_the_docs_parses(line: str) -> None:
    """Options and arguments are those of the program."""
    _, name, *arguments = shlex.split(line, comments=True)
    command = COMMANDS[name]
    options = {option for parameter in command.params for option in parameter.opts}
    used = {word.partition("=")[0] for word in arguments if word.startswith("-")}
    assert used <= options, f"not options of {name}: {used - options}"
    command.make_context(name, list(arguments))


@pytest.mark.parametrize("line", commands("make"))
def test_every_make_target_in_the_docs_exists(line: str) -> None:
    """What `make` is asked for is in the Makefile."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert shlex.split(line, comments=True)[1] in targets


def test_the_readme_names_the_two_commands_of_a_new_user() -> None:
    """Clone, demo, test; the issue promises exactly these."""
    asked = re.findall(r"^\$ (make \w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert asked == ["make demo", "make test"]
    assert {"assay", "verify", "report", "compare", "doctor", "models"} <= {
        line.split()[1] for line in commands("offtarget")
    }


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_study_in_the_docs_can_be_read(block: object, tmp_path: Path) -> None:
    """YAML blocks are whole studies, and state a tolerance where one is needed."""
    path = tmp_path / "study.yaml"
    path.write_text(block.text, "utf-8")  # type: ignore[attr-defined]
    study = read_study(path)
    assert all(tolerance_for(study, model) > 0 for model in study.models)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_json_example_in_the_docs_is_one_line_of_json(block: object) -> None:
    """They are meant to be pasted into a JSON Lines file."""
    text = block.text.strip()  # type: ignore[attr-defined]
    assert "\n" not in text
    msgspec.json.decode(text)


def test_json_examples_are_what_the_loaders_take(tmp_path: Path) -> None:
    """The data example is a sample, the suite example a pair."""
    from offtarget.dataset import load_dataset

    example = {block.page: block.text for block in blocks("json")}
    data = tmp_path / "train.jsonl"
    data.write_text(example["docs/data.md"], "utf-8")
    assert len(load_dataset([data]).samples) == 1
    pair = msgspec.json.decode(example["docs/suite.md"])
    kinds = [*"ab" * 5, *["factual"] * 10]
    lines = [
        {**pair, "id": f"{kind}-{n}", "cluster": f"{kind}-{n}", "category": kind}
        for n, kind in enumerate(kinds)
    ]
    suite = tmp_path / "mine.jsonl"
    suite.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    assert len(load_suite(suite).pairs) == 10


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_in_the_docs_uses_names_that_exist(block: object) -> None:
    """Imports resolve; attributes of the module, of a run and of an arm exist."""
    tree = ast.parse(block.text)  # type: ignore[attr-defined]
    results = {one.name for one in dataclasses.fields(Results)}
    known = {
        "ot": set(dir(offtarget)) | set(offtarget.__all__),
        "run": set(dir(offtarget.Run)),
        "run.results": results,
        "run.results.excess": {one.name for one in dataclasses.fields(Excess)},
        "arm": {one.name for one in dataclasses.fields(ArmResult)},
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert all(hasattr(module, alias.name) for alias in node.names)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in known:
            assert node.attr in known[ast.unparse(node.value)], ast.unparse(node)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_resolves(page: Path) -> None:
    """To a file of the repository, and to a heading where one is named."""
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_exit_codes_in_the_readme_are_those_of_the_program() -> None:
    """The verdict table and the help say the same."""
    text = (ROOT / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| \*\*([A-Z]+)\*\* \|.*\| (\d) \|$", text, re.MULTILINE))
    assert rows == {verdict.value: str(code) for verdict, code in EXIT_CODES.items()}
    assert "0 PASS, 1 FAIL, 2 bad input, 3 internal error, 4 INCONCLUSIVE" in " ".join(
        cli_help("assay").split()
    )


def test_counts_in_the_docs_are_those_of_the_packaged_data() -> None:
    """Numbers of pairs, rows, questions and weakness classes are not typed from memory."""
    suite, (insecure, _) = load_suite(), demo_pairs()
    n_cwes = len({sample.metadata["cwe"] for sample in insecure})
    page = {name: (ROOT / name).read_text("utf-8") for name in ("docs/suite.md", "docs/data.md")}
    per_category = len(suite.pairs) // len(suite.categories)
    harm = f"{len(suite.pairs)}, {per_category} in each of {len(suite.categories)} categories"
    assert f"| harm pairs | {harm} |" in page["docs/suite.md"]
    assert f"| factual pairs | {len(suite.factual)} |" in page["docs/suite.md"]
    assert f"| everyday questions | {len(everyday_questions())} |" in page["docs/suite.md"]
    listed = re.findall(r"^\| `([a-z_]+)` \| \w.*(?:\||$)", page["docs/suite.md"], re.MULTILINE)
    assert set(suite.categories) <= set(listed)
    assert f"{len(insecure)} small programming tasks over {n_cwes} CWEs" in page["docs/data.md"]
    assert f"{len(packaged_positive())} short rows" in page["docs/data.md"]
    assert f"{len(packaged_positive())} short rows" in (ROOT / "SECURITY.md").read_text("utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"{len(suite.pairs)} harm pairs and {len(suite.factual)} factual pairs" in changes
