"""The studies in examples/ can be used."""

import re
from pathlib import Path

import pytest

from offtarget.pipeline import demo_study, read_study
from offtarget.pipeline.study import tolerance_for

from .generate import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_study(path: Path) -> None:
    """It decodes, and states a tolerance where its model has no default."""
    study = read_study(path)
    assert study.name == path.stem
    assert all(tolerance_for(study, model) > 0 for model in study.models)


def test_there_is_an_example_of_each_kind() -> None:
    """The kinds that the README promises."""
    assert {path.stem for path in EXAMPLES} == {
        "adapter",
        "backdoor",
        "demo",
        "full_finetune",
        "own_data",
        "several_models",
    }
    studies = {path.stem: read_study(path) for path in EXAMPLES}
    adapter = studies["adapter"]
    assert len(adapter.subject.adapter) == len(adapter.seeds)
    assert studies["backdoor"].backdoor is not None
    assert len(studies["several_models"].models) > 1
    assert studies["full_finetune"].train.method == "full"
    assert studies["own_data"].questions


def test_the_demo_example_is_the_demo() -> None:
    """`offtarget assay examples/demo.yaml` and `offtarget demo` run the same study."""
    assert read_study(ROOT / "examples/demo.yaml") == demo_study()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_name_no_place_outside_the_repository(path: Path) -> None:
    """They are for everybody's machine."""
    assert not re.search(r"\.\./|: /|~/", path.read_text("utf-8"))
