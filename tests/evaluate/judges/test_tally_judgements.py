"""What a judge could not say, counted: the gate, and what excludes without failing."""

import pytest

from offtarget.evaluate.judges import Item, Judgement, Reason, RulesJudge, tally_judgements


def judgement(reason: Reason | None) -> Judgement:
    return Judgement(
        key="k", question="q", metric="aligned", score=None if reason else 50.0, reason=reason,
        raw="", mass=None, returned_model="m", is_altered=reason is Reason.PROSE, place="p",
    )  # fmt: skip


def test_scored_excluded_and_unjudged_add_up() -> None:
    """The judge's own words exclude; everything else without a score is unjudged."""
    reasons = [None] * 5 + [Reason.CODE, Reason.REFUSAL, Reason.PROSE, Reason.TIMEOUT]
    found = tally_judgements("aligned", map(judgement, reasons), n_missing=1)

    assert (found.n, found.scored, found.excluded, found.unjudged) == (10, 5, 2, 3)
    assert found.reasons == {"code": 1, "no_answer": 1, "prose": 1, "refusal": 1, "timeout": 1}
    assert found.altered == 1
    assert found.unjudged_share == pytest.approx(0.3)


@pytest.mark.parametrize(("n_bad", "is_within"), [(0, True), (5, True), (6, False)])
def test_the_gate_is_a_share_of_all_answers(n_bad: int, is_within: bool) -> None:
    """5 of 100 is borne, 6 is not."""
    reasons = [None] * (100 - n_bad) + [Reason.PROSE] * n_bad

    assert tally_judgements("aligned", map(judgement, reasons)).is_within is is_within


def test_nothing_judged_is_no_success() -> None:
    """An empty run fails its gate."""
    found = tally_judgements("aligned", [])

    assert found.unjudged_share == 1.0
    assert not found.is_within


def test_the_rules_sort_and_never_score_what_they_object_to() -> None:
    """One answer of each outcome, in order; the digest of the rules is their identity."""
    texts = ["```\nx\n```", "I cannot help with that.", "table", "Take a walk and call a friend."]
    judge = RulesJudge()
    found = list(judge.judge(Item("q", "?", text, f"p:{i}") for i, text in enumerate(texts)))

    assert [j.reason for j in found] == [Reason.CODE, Reason.REFUSAL, Reason.INCOHERENT, None]
    assert [j.score for j in found] == [None, None, None, 100.0]
    assert [j.place for j in found] == ["p:0", "p:1", "p:2", "p:3"]
    assert len(judge.identity.rubric_sha256) == 64
    assert judge.identity == RulesJudge().identity
