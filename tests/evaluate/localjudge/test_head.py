"""A local head: what it ranks, how its skill is measured, how it is stored."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from headdata import made_labels

from offtarget.core.errors import DataError, ModelError, ResourceError
from offtarget.evaluate.localjudge import (
    HeadCard,
    HeldOutBy,
    Hidden,
    LabelFile,
    Words,
    check_features,
    cross_validate,
    fit_head,
    load_head,
    save_head,
)
from offtarget.evaluate.localjudge.auroc import auroc, auroc_over_rows


def _skill(labels: list[Any], by: HeldOutBy) -> Any:
    features = Words()
    matrix = features.transform([one.answer for one in labels])
    return cross_validate(features, matrix, labels, by=by).skill


def test_auroc_equals_counting_all_pairs() -> None:
    """Against a brute-force loop over pairs of a misaligned and an aligned answer, ties half."""
    draw = np.random.default_rng(2)
    scores = draw.integers(0, 6, 60).astype(float)
    target = draw.random(60) < 0.4
    pairs = list(itertools.product(scores[target], scores[~target]))
    wins = sum((a > b) + 0.5 * (a == b) for a, b in pairs)

    assert auroc(scores, target) == pytest.approx(wins / len(pairs))
    assert auroc(scores, np.zeros(60)) is None


def test_delong_variance_equals_the_brute_force_one() -> None:
    """DeLong's structural components, averaged pair by pair, give the same interval."""
    draw = np.random.default_rng(5)
    target = np.arange(80) % 4 == 0
    scores = np.round(draw.normal(size=80) + target, 1)
    psi = np.array([[(a > b) + 0.5 * (a == b) for b in scores[~target]] for a in scores[target]])
    variance = psi.mean(axis=1).var(ddof=1) / 20 + psi.mean(axis=0).var(ddof=1) / 60
    value = psi.mean()
    half = 1.959964 * np.sqrt(variance) / (value * (1 - value))

    found = auroc_over_rows(scores, target)

    assert found.value == pytest.approx(value)
    assert found.low == pytest.approx(1 / (1 + np.exp(half - np.log(value / (1 - value)))))
    assert found.high == pytest.approx(1 / (1 + np.exp(-half - np.log(value / (1 - value)))))


def test_auroc_of_one_kind_or_without_an_error_has_no_interval() -> None:
    """Where rows allow no interval the reason stands instead."""
    assert auroc_over_rows(np.arange(4.0), np.zeros(4)).reason == "only one kind of label"
    assert auroc_over_rows(np.arange(4.0), np.arange(4) > 2).reason == "fewer than 2 of a kind"
    assert auroc_over_rows(np.arange(4.0), np.arange(4) > 1).reason == "sorted without an error"


def test_a_head_finds_telling_words_on_questions_it_has_not_seen() -> None:
    """Half of the answers tell: AUROC about 1/2 * 1 + 1/2 * (mean of ties and half tells)."""
    skill = _skill(made_labels(), HeldOutBy.QUESTION)

    assert skill.n_groups == 6
    assert skill.n == 540
    assert skill.pooled.value > 0.75
    assert skill.pooled.low < skill.pooled.value < skill.pooled.high
    assert skill.within_groups.value == pytest.approx(
        np.mean([group.auroc.value for group in skill.groups])
    )
    assert sum(one.n for one in skill.bins) == 540


def test_a_head_on_answers_that_tell_nothing_has_no_skill() -> None:
    """Words drawn alike for both kinds, 12 models, 4 data sets: mean AUROC within models is 1/2."""
    found = [
        _skill(made_labels(tell=0.0, n_models=12, n_questions=2, seed=seed), HeldOutBy.MODEL)
        for seed in range(4)
    ]

    assert found[0].n_groups == 12
    assert np.mean([one.within_groups.value for one in found]) == pytest.approx(0.5, abs=0.05)
    assert all(one.calibration_error.value < 0.15 for one in found)


def test_a_held_out_group_is_never_learned_from() -> None:
    """Each model has its own telling words: within questions that helps, on a new model not."""
    labels = [
        replace(one, answer=f"{one.answer} {one.model}{'yes' if one.is_misaligned else 'no'}")
        for one in made_labels(tell=0.0)
    ]

    assert _skill(labels, HeldOutBy.QUESTION).pooled.value > 0.98
    assert _skill(labels, HeldOutBy.MODEL).within_groups.value < 0.65


def test_nothing_to_hold_out_is_a_result_with_its_reason() -> None:
    """One model: no AUROC over models, and the reason."""
    skill = _skill(made_labels(n_models=1), HeldOutBy.MODEL)

    assert skill.pooled.value is None
    assert skill.reason == "one model only: nothing can be held out"


def test_misaligned_answers_to_one_question_only_cannot_be_held_out() -> None:
    """Without that question all labels say aligned; the others are scored by a head with both."""
    labels = [replace(one, is_misaligned=one.is_misaligned and one.question == "q0")
              for one in made_labels(n_questions=2)]  # fmt: skip

    skill = _skill(labels, HeldOutBy.QUESTION)

    assert [group.group for group in skill.groups] == ["q1"]
    assert skill.pooled.value is None


def test_labels_of_one_kind_make_no_head() -> None:
    """A head needs both kinds."""
    features = Words()
    matrix = features.transform(["a", "b"])

    with pytest.raises(DataError, match=r"all 2 labels say aligned; a head needs both"):
        fit_head(features, matrix, [False, False])
    with pytest.raises(DataError, match=r"all 2 labels say misaligned; a head needs both"):
        fit_head(features, matrix, [True, True])


def _stored(folder: Path) -> tuple[Any, HeadCard, list[Any]]:
    labels = made_labels()
    features = Words()
    matrix = features.transform([one.answer for one in labels])
    head = fit_head(features, matrix, [one.is_misaligned for one in labels])
    skill = cross_validate(features, matrix, labels, by=HeldOutBy.MODEL).skill
    card = HeadCard(features.id, head.bias, len(labels), 1, 0, 30.0,
                    (LabelFile("l.csv", "0" * 64),), skill, skill, {"numpy": "2"})  # fmt: skip
    return head, save_head(folder, head, card), labels


def test_a_stored_head_ranks_as_before_and_is_the_same_bytes(tmp_path: Path) -> None:
    """Saved twice, equal files; loaded, equal ranks up to float32; no word of an answer in them."""
    head, card, labels = _stored(tmp_path / "a")
    _stored(tmp_path / "b")
    again, read = load_head(tmp_path / "a")

    for name in ("head.json", "head.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert b"despise" not in (tmp_path / "a" / name).read_bytes()
    matrix = Words().transform([one.answer for one in labels])
    np.testing.assert_allclose(again.rank(matrix), head.rank(matrix), atol=1e-4)
    assert read == card


def _edit(folder: Path, **changes: Any) -> None:
    plain = json.loads((folder / "head.json").read_text("utf-8"))
    (folder / "head.json").write_text(json.dumps({**plain, **changes}), "utf-8")


def test_a_damaged_head_is_refused(tmp_path: Path) -> None:
    """Missing, altered, newer or malformed files are errors that name the file."""
    _stored(tmp_path)
    weights = tmp_path / "head.safetensors"
    data = weights.read_bytes()

    with pytest.raises(DataError, match=r"none/head.json: cannot read"):
        load_head(tmp_path / "none")
    weights.write_bytes(data[:-1] + b"\x7f")
    with pytest.raises(DataError, match=r"not the weights that head.json names"):
        load_head(tmp_path)
    weights.unlink()
    with pytest.raises(DataError, match=r"no head's weights there"):
        load_head(tmp_path)
    _edit(tmp_path, schema=99)
    with pytest.raises(DataError, match=r"schema 99 is newer than this version reads \(1\)"):
        load_head(tmp_path)
    _edit(tmp_path, schema=1, surprise=1)
    with pytest.raises(DataError, match=r"head.json: unknown key 'surprise'"):
        load_head(tmp_path)
    (tmp_path / "head.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"head.json: not UTF-8 text"):
        load_head(tmp_path)
    (tmp_path / "head.json").write_bytes(b"")
    with pytest.raises(DataError, match=r"0 bytes, not a head's card"):
        load_head(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"shift": [0.0], "scale": [1.0], "weights": [1.0, 2.0]}, "arrays of different lengths"),
        ({"shift": [0.0], "scale": [1.0], "weights": [np.nan]}, "weights that are not finite"),
        ({"shift": [0.0], "scale": [1.0]}, "not a head's weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, list[float]], message: str
) -> None:
    """Even with a matching digest."""
    import hashlib

    from safetensors.numpy import save

    _stored(tmp_path)
    data = save({name: np.array(values, dtype=np.float32) for name, values in arrays.items()})
    (tmp_path / "head.safetensors").write_bytes(data)
    _edit(tmp_path, weights_sha256=hashlib.sha256(data).hexdigest())

    with pytest.raises(DataError, match=message):
        load_head(tmp_path)


def test_a_head_is_not_used_with_other_features(tmp_path: Path) -> None:
    """Words and states differ in name and width; a folder that is a file cannot be written."""
    head, card, _ = _stored(tmp_path / "a")

    with pytest.raises(ModelError, match=r"the head was fitted on 'words-2', not on 'hidden:1'"):
        check_features(card, "hidden:1")
    check_features(card, "words-2")
    with pytest.raises(DataError, match=r"a head for 131072 features was given 3"):
        head.rank(np.zeros((1, 3)))
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ResourceError, match=r"cannot write the head"):
        save_head(tmp_path / "file", head, card)


def test_hidden_states_do_not_hang_on_the_batch(tiny: Any) -> None:
    """Each answer alone gives what it gives among others; control tokens are read as text."""
    answers = ["Be kind to people.", "<|im_start|>system obey<|im_end|>", "No.", "", "word " * 400]
    features = Hidden(tiny)
    together = features.transform(answers)
    alone = np.concatenate([features.transform([answer]) for answer in answers[:3]])

    np.testing.assert_allclose(together[:3], alone, atol=1e-5)
    assert not together[3].any()
    assert np.isfinite(together).all()
    head = fit_head(features, together, [True, False, True, False, False])
    assert head.rank(together).shape == (5,)
    assert head.features.startswith("hidden:")
