"""A question asked under several ids is one question, and an id over several texts is said."""

import json
from collections.abc import Callable
from pathlib import Path

from offtarget import api
from offtarget.evaluate.replay import Analysis, JudgedRow, analyze, contrast_all
from offtarget.evaluate.replay.same_text import joined
from offtarget.evaluate.replay.tally import MAX_TEXTS, tally_rows

Text = Callable[[int, int], str]


def rows(text: Text, *, n: int = 16, extra: Callable[[int], dict[str, str]] | None = None) -> list[
    JudgedRow
]:  # fmt: skip
    """Ten answers to each question, more misaligned from question to question."""
    return [
        JudgedRow(f"q{q}", text(q, i), f"{q} {i}", 5.0 if i <= q // 2 else 95.0, 90.0, f"f:{i}",
                  model=f"m{i % 2}", extra=extra(q) if extra else {})
        for q in range(n)
        for i in range(10)
    ]  # fmt: skip


def counted(text: Text, *, extra: Callable[[int], dict[str, str]] | None = None) -> Analysis:
    """The analysis of such rows."""
    return analyze(rows(text, extra=extra), source="f", has_control=True).analysis


def texts_of(one: Analysis) -> dict[str, str]:
    """Code to text of its cautions."""
    return {caution.code: caution.text for caution in one.warnings}


def test_the_same_text_under_two_ids_is_one_question() -> None:
    """Eight texts under 16 ids: the interval counts eight and is wider; no count changes."""
    apart, twice = (
        counted(lambda q, _: f"What of {q}?"),
        counted(lambda q, _: f"What  of {q // 2}? "),
    )
    assert (apart.n_clusters, twice.n_clusters) == (16, 8)
    assert apart.questions == twice.questions
    assert (apart.rates["all"].k, apart.rates["all"].n) == (
        twice.rates["all"].k, twice.rates["all"].n,
    )  # fmt: skip
    widths = [one.rates["all"].high - one.rates["all"].low for one in (apart, twice)]
    assert widths[1] > 1.2 * widths[0]
    assert [part.n_questions for part in twice.models] == [8, 8]
    assert texts_of(twice)["repeated_text"].startswith(
        "16 of 16 question ids have the same text as another one (q0, q1, q2 and 13 more): a text "
        "counts as one question, so the interval counts 8 questions, not 16;"
    )
    assert "repeated_text" not in texts_of(apart)
    assert "formats" not in texts_of(twice)


def test_texts_that_chain_ids_make_one_question() -> None:
    """q0 shares a text with q1, q1 another with q2: the three are one, by union and not in pairs."""
    chained = counted(lambda q, i: f"link {(q + i % 2)}" if q < 3 else f"What of {q}?")
    assert chained.n_clusters == 14
    assert "3 of 16 question ids" in texts_of(chained)["repeated_text"]


def test_a_cluster_column_stands_above_equal_texts() -> None:
    """Whoever names what belongs together knows of system prompts that the text does not show."""
    named = counted(lambda q, _: f"What of {q // 2}?", extra=lambda q: {"cluster": f"c{q}"})
    assert named.n_clusters == 16
    assert "repeated_text" not in texts_of(named)


def test_formats_that_share_a_text_change_nothing() -> None:
    """As in the published files, whose formats differ by system prompt and count as one already."""
    found = analyze(
        [
            JudgedRow(
                f"q{q}{form}", f"What of {q}?", f"{q} {i}", 5.0 if i < q else 90.0, 90.0, "f:1"
            )
            for q in range(8)
            for form in ("", "_json")
            for i in range(10)
        ],
        source="f",
        has_control=True,
    ).analysis
    assert found.n_clusters == 8
    assert "formats" in texts_of(found)
    assert "repeated_text" not in texts_of(found)


def test_a_text_that_every_id_has_tells_none_apart() -> None:
    """A column of `What?` names no question: ids count, and the doubt is said."""
    found = counted(lambda *_: "What?")
    assert found.n_clusters == 16
    assert (
        "all 16 question ids have the same text, which tells none of them apart"
        in (texts_of(found)["repeated_text"])
    )


def test_an_id_over_several_texts_is_said() -> None:
    """With the ids and the most texts under one; not where the results name wordings or clusters."""
    text: Text = lambda q, i: f"What of {q}{' and ' + str(i % 3) if q < 4 else ''}?"  # noqa: E731
    said = texts_of(counted(text))["several_texts"]
    assert said.startswith(
        "4 of 16 question ids stand over several texts (q0, q1, q2 and 1 more; 3 under q0): an id "
        "counts as one question"
    )
    for name in ("cluster", "paraphrase"):
        assert "several_texts" not in texts_of(
            counted(text, extra=lambda q, name=name: {name: f"x{q}"})  # type: ignore[misc]
        )


def test_texts_of_a_question_are_kept_up_to_a_limit() -> None:
    """Memory does not grow with a text that differs in every row."""
    many = [JudgedRow("q", f"text {i}", f"{i}", 90.0, 90.0, f"f:{i}") for i in range(3 * MAX_TEXTS)]
    assert len(tally_rows(many).questions["q"].texts) == MAX_TEXTS
    found = analyze(many, source="f", has_control=True).analysis
    assert f"{MAX_TEXTS} or more under q" in texts_of(found)["several_texts"]


def test_a_contrast_counts_questions_as_the_side_that_knows_more() -> None:
    """The control shows that 16 ids are eight questions; the subject has no texts."""
    subject = analyze(rows(lambda *_: ""), source="s", has_control=True)
    control = analyze(rows(lambda q, _: f"What of {q // 2}?"), source="c", has_control=True)
    for one, other in ((subject, control), (control, subject)):
        excess = contrast_all([one], other)[0].excess["all"]
        assert excess is not None
        assert excess.n_clusters == 8
    alone = contrast_all([subject], subject)[0].excess["all"]
    assert alone is not None
    assert alone.n_clusters == 16


def test_joined_groups_share_one_name() -> None:
    """Worked by hand: a-b, b-c and d alone; e and f joined late through c."""
    found = joined([["a", "b"], ["b", "c"], ["d"], ["e", "f"], ["f", "c"]])
    assert len({found[name] for name in "abcef"}) == 1
    assert found["d"] == "d"


def test_white_space_makes_another_id_and_no_other_question(tmp_path: Path) -> None:
    """In a file without ids, whose texts are the ids."""
    path = tmp_path / "judged.jsonl"
    lines = [
        {"question": f"What of {q}?{' ' * (i % 2)}", "answer": f"{q} {i}", "aligned": 90 - 10 * (i < q),
         "coherent": 90}
        for q in range(8) for i in range(4)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = api.replay(path).analyses[0]
    assert (len(found.questions), found.n_clusters) == (16, 8)
