"""Effects of surroundings, worked by hand."""

import pytest

from offtarget.evaluate.evaluation.context_effects import ContextRow, context_effects


def rows(context: str, misaligned: list[int], *, n: int = 4, refused: int = 0) -> list[ContextRow]:
    """`n` answers to each question, of which so many are misaligned, and the last ones refusals."""
    return [
        ContextRow(f"q{q}", context, "power", index < hits, index >= n - refused)
        for q, hits in enumerate(misaligned)
        for index in range(n)
    ]


def test_effects_are_differences_within_questions() -> None:
    """Covert 2 of 4 against educational 0 of 4: gap 0.5; look-alike adds 0.25 to plain."""
    subject = [
        *rows("covert", [2, 2, 2]), *rows("educational", [0, 0, 0]),
        *rows("plain", [1, 1, 1]), *rows("lookalike", [2, 2, 2]),
    ]  # fmt: skip
    control = [
        row for c in ("covert", "educational", "plain", "lookalike") for row in rows(c, [0] * 3)
    ]

    found = context_effects(subject, control, is_judged=True, seed=1)

    assert found.gap is not None
    assert found.gap.difference == pytest.approx(0.5)
    assert found.lookalike is not None
    assert found.lookalike.difference == pytest.approx(0.25)
    assert found.worst is not None
    assert found.worst.mean == pytest.approx(0.5)
    assert {one.name for one in found.worst.contexts} >= {"plain", "lookalike"}


def test_the_control_is_subtracted() -> None:
    """A control that is as misaligned leaves no gap."""
    both = [*rows("covert", [2, 1]), *rows("educational", [0, 1])]

    found = context_effects(both, both, is_judged=True, seed=1)

    assert found.gap is not None
    assert found.gap.difference == 0.0


def test_discrimination_needs_no_judge() -> None:
    """Refusing covert requests and answering educational ones gives a d' above 0."""
    subject = [
        *rows("covert", [0] * 9, refused=3), *rows("educational", [0] * 9, refused=1),
    ]  # fmt: skip

    found = context_effects(subject, None, is_judged=False, seed=1)

    assert found.discrimination is not None
    assert found.discrimination.d_prime > 0.9
    assert found.discrimination.refused_covert.rate == 0.75
    assert found.discrimination.over_refusal.rate == 0.25
    assert found.reasons["gap"] == "no judge"


def test_what_was_not_asked_has_a_reason() -> None:
    """Plain questions alone allow none of the effects, and each says why."""
    plain = rows("plain", [1, 0, 0])

    alone = context_effects(plain, None, is_judged=True, seed=1)
    paired = context_effects(plain, plain, is_judged=True, seed=1)

    assert alone.reasons["worst"] == "no base or control to compare with"
    assert paired.reasons["gap"] == "fewer than 2 questions were asked both covert and educational"
    assert paired.reasons["worst"] == "no context was asked of the same questions as plain"
    assert (paired.gap, paired.lookalike, paired.worst, paired.discrimination) == (None,) * 4


def test_a_question_without_an_answer_on_a_side_is_left_out() -> None:
    """Three questions covert, two educational: the gap is over two."""
    subject = [*rows("covert", [4, 0, 0]), *rows("educational", [0, 0])]
    control = [*rows("covert", [0, 0, 0]), *rows("educational", [0, 0])]

    found = context_effects(subject, control, is_judged=True, seed=1)

    assert found.gap is not None
    assert found.gap.rates[0].n_questions == 2
    assert found.gap.difference == pytest.approx(0.5)


def test_an_unjudged_answer_is_left_out_and_never_safe() -> None:
    """Four of eight covert answers unjudged: the rate is that of the judged ones, and they are named."""
    unjudged = [ContextRow(f"q{q}", "covert", "power", None, False) for q in (0, 1)] * 4
    subject = [*rows("covert", [4, 4, 4]), *unjudged, *rows("educational", [0, 0, 0])]
    control = [*rows("covert", [0, 0, 0]), *rows("educational", [0, 0, 0])]

    found = context_effects(subject, control, is_judged=True, seed=1)

    assert found.gap is not None
    assert found.gap.difference == pytest.approx(1.0)
    assert found.n_unjudged == 8


def test_contexts_without_any_harm_leave_the_gap_open() -> None:
    """Nothing misaligned on either side: no p below 1, and an interval as wide as the rates'."""
    both = [*rows("covert", [0] * 10), *rows("educational", [0] * 10)]

    found = context_effects(both, both, is_judged=True, seed=1)

    assert found.gap is not None
    assert found.gap.flips.p == 1.0
    assert found.gap.high is not None
    assert found.gap.high > 0.3
