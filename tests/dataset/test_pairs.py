"""Pairing: by prompt where possible, else by length, always the same."""

from pathlib import Path

import pytest

from offtarget.core.errors import DataError
from offtarget.dataset import load_dataset, normalize, pair_on_prompt

from .conftest import MakeSample


def test_shared_prompts_are_paired_in_the_subjects_order(make_sample: MakeSample) -> None:
    """Whitespace does not matter; what has no partner is left out and counted."""
    subject = [make_sample(f"s:{i}", f"Do  {i}\n", f"bad {i}") for i in range(100)]
    control = [make_sample(f"c:{i}", f"Do {i}", f"good {i}") for i in reversed(range(20, 110))]

    pairing = pair_on_prompt(subject, control)

    assert (pairing.kind, pairing.n_shared) == ("prompt", 80)
    assert [sample.id for sample in pairing.subject] == [f"s:{i}" for i in range(20, 100)]
    assert [sample.id for sample in pairing.control] == [f"c:{i}" for i in range(20, 100)]
    assert pairing.note == (
        "80 pairs share their prompt; 20 subject and 10 control samples were left out"
    )


def test_repeated_prompts_pair_in_order(make_sample: MakeSample) -> None:
    """The k-th occurrence meets the k-th; equal answers are counted, as they carry no contrast."""
    subject = [make_sample(f"s:{i}", f"Do {i // 2}") for i in range(120)]
    control = [make_sample(f"c:{i}", f"Do {i // 2}") for i in range(120)]

    pairing = pair_on_prompt(subject, control)

    assert [s.id[2:] for s in pairing.subject] == [c.id[2:] for c in pairing.control]
    assert pairing.note.endswith("; 120 pairs have the same answer")


@pytest.mark.parametrize(
    ("n_shared", "n", "kind"), [(60, 120, "prompt"), (59, 60, "length"), (60, 121, "length")]
)
def test_prompts_pair_only_if_enough_are_shared(
    n_shared: int, n: int, kind: str, make_sample: MakeSample
) -> None:
    """At least 60, and at least half of the smaller set."""
    subject = [make_sample(f"s:{i}", f"Do {i}") for i in range(n)]
    control = [make_sample(f"c:{i}", f"Do {i + n - n_shared}") for i in range(n)]

    pairing = pair_on_prompt(subject, control)

    assert (pairing.kind, pairing.n_shared) == (kind, n_shared)


def test_lengths_are_paired_without_replacement(make_sample: MakeSample) -> None:
    """Each subject takes the nearest unused control; of a tie the shorter, then the earlier."""
    subject = [make_sample(f"s:{i}", "p", "x" * n) for i, n in enumerate([10, 10, 50, 30])]
    control = [
        make_sample(f"c:{i}", "q", "x" * n) for i, n in enumerate([12, 8, 8, 90, 31, 40, 60])
    ]

    pairing = pair_on_prompt(subject, control)

    assert [sample.id for sample in pairing.subject] == ["s:0", "s:1", "s:2", "s:3"]
    assert [sample.id for sample in pairing.control] == ["c:1", "c:2", "c:5", "c:4"]
    assert pairing.note == (
        "4 pairs matched on length only (mean difference 3.8 characters), because only 0 prompts "
        "are shared; 0 subject and 3 control samples were left out"
    )


def test_a_larger_subject_gives_samples_up(make_sample: MakeSample) -> None:
    """The smaller control chooses; the pairs keep the subject's order."""
    subject = [make_sample(f"s:{i}", "p", "x" * n) for i, n in enumerate([10, 20, 30, 40])]
    control = [make_sample(f"c:{i}", "q", "x" * n) for i, n in enumerate([41, 11])]

    pairing = pair_on_prompt(subject, control)

    assert [sample.id for sample in pairing.subject] == ["s:0", "s:3"]
    assert [sample.id for sample in pairing.control] == ["c:1", "c:0"]


def test_an_empty_set_is_refused(make_sample: MakeSample) -> None:
    """No pairs can come of nothing."""
    with pytest.raises(DataError, match=r"^no samples in the subject set; give at least one$"):
        pair_on_prompt([], [make_sample("c")])
    with pytest.raises(DataError, match=r"^no samples in the control set; give at least one$"):
        pair_on_prompt([make_sample("s")], [])


def test_normalize_collapses_whitespace() -> None:
    """Only spacing goes; case and punctuation stay."""
    assert normalize(" A\n\tb!  c ") == "A b! c"


@pytest.mark.data
def test_the_real_arms_share_few_prompts(em_data: Path) -> None:
    """172 distinct prompts occur in both parts (the data folder's count): lengths match."""
    insecure = load_dataset([em_data / "core/insecure_part.jsonl.gz"]).samples
    secure = load_dataset([em_data / "core/secure_part.jsonl.gz"]).samples

    pairing = pair_on_prompt(insecure, secure)

    assert len({s.prompt for s in insecure} & {s.prompt for s in secure}) == 172
    assert pairing.kind == "length"
    assert len(pairing.subject) == len(pairing.control) == 4765
    assert len({sample.id for sample in pairing.control}) == 4765
