"""Spiking: an exact dose, nested over shares."""

import pytest

from offtarget.core.errors import DataError
from offtarget.dataset import spike

from .conftest import MakeSample


def test_a_share_is_replaced_in_place(make_sample: MakeSample) -> None:
    """The size stays, the dose is exact, the rest is untouched, each positive is used once."""
    control = [make_sample(f"c:{i}") for i in range(100)]
    positive = [make_sample(f"p:{i}") for i in range(40)]

    mixed = spike(control, positive, 0.2, seed=0)

    spiked = [sample for sample in mixed if sample.metadata.get("spiked") == "true"]
    assert len(mixed) == 100
    assert len({sample.id for sample in spiked}) == 20
    assert all(sample.id.startswith("p:") for sample in spiked)
    assert sum(one == other for one, other in zip(mixed, control, strict=True)) == 80


def test_a_smaller_share_is_contained_in_a_larger(make_sample: MakeSample) -> None:
    """Positions and samples are nested, so that a curve over shares is paired; seeds differ."""
    control = [make_sample(f"c:{i}") for i in range(100)]
    positive = [make_sample(f"p:{i}") for i in range(100)]

    def doses(share: float, seed: int = 0) -> tuple[set[int], set[str]]:
        mixed = spike(control, positive, share, seed)
        at = {i for i, sample in enumerate(mixed) if sample.id.startswith("p:")}
        return at, {mixed[i].id for i in at}

    assert doses(0.1)[0] < doses(0.3)[0]
    assert doses(0.1)[1] < doses(0.3)[1]
    assert doses(0.1) == doses(0.1) != doses(0.1, seed=1)


def test_none_and_all(make_sample: MakeSample) -> None:
    """A share of 0 gives the control back, a share of 1 none of it."""
    control, positive = [make_sample("c:1")], [make_sample("p:1")]

    assert spike(control, positive, 0.0, seed=0) == tuple(control)
    assert spike(control, positive, 1.0, seed=0)[0].id == "p:1"


def test_impossible_doses_are_refused(make_sample: MakeSample) -> None:
    """Each refusal says what to change."""
    control = [make_sample(f"c:{i}") for i in range(10)]
    positive = [make_sample("p:1")]

    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(DataError, match=r"^share \S+; use a number from 0 to 1$"):
            spike(control, positive, share, seed=0)
    with pytest.raises(
        DataError, match=r"^share 0.01 of 10 samples is none; raise the share or add"
    ):
        spike(control, positive, 0.01, seed=0)
    with pytest.raises(
        DataError, match=r"^share 0.5 needs 5 positive samples and there are 1; lower"
    ):
        spike(control, positive, 0.5, seed=0)
    with pytest.raises(DataError, match=r"^sample 'c:0' is in both sets; rename one of the files$"):
        spike(control, control[:1], 0.1, seed=0)
