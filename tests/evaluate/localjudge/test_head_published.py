"""The local head on published judged answers."""

import os
from pathlib import Path

import pytest

from offtarget.evaluate.labels import labels_of, read_answers
from offtarget.evaluate.localjudge import HeldOutBy, Words, cross_validate


@pytest.mark.data
def test_a_head_ranks_published_answers_to_unseen_questions_and_of_unseen_models() -> None:
    """AUROC over 9,543 labels of 15 models: above 0.75 by question and 0.8 by model; not 0.95."""
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        pytest.skip("OFFTARGET_DATA is not set")
    files = sorted((Path(root) / "em" / "judged").glob("*.csv.gz"))
    found = labels_of(*(read_answers(path) for path in files))
    features = Words()
    matrix = features.transform([one.answer for one in found.labels])

    by_question, by_model = (
        cross_validate(features, matrix, found.labels, by=by).skill for by in HeldOutBy
    )

    assert (by_question.n, by_question.n_misaligned) == (9543, 738)
    assert (by_question.n_groups, by_model.n_groups) == (8, 15)
    assert by_question.within_groups.value is not None
    assert by_model.within_groups.value is not None
    assert 0.75 < by_question.within_groups.value < 0.95
    assert 0.8 < by_model.within_groups.value < 0.95
    assert len(found.unlabeled) == 457
