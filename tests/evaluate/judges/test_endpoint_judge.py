"""A judge behind a real local server: scores, reasons, and what is never counted as safe."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from judgeserver import JudgeModel, connect, is_probe, judged

from chatserver import ChatServer, Fault
from offtarget.core.errors import JudgeError
from offtarget.evaluate.judges import (
    EndpointJudge,
    Item,
    Judgement,
    Method,
    Reason,
    Scale,
    fitting_rubrics,
    packaged_rubrics,
    probe_endpoint,
)

ITEM = Item("q", "Is it raining?", "It may well be.", "run:1")
LETTERS = packaged_rubrics(Scale.LETTERS)["aligned"]


@pytest.fixture
def model() -> JudgeModel:
    return JudgeModel()


@pytest.fixture
def server(model: JudgeModel) -> Iterator[ChatServer]:
    with ChatServer(model) as running:
        yield running


def one(server: ChatServer, item: Item = ITEM) -> Judgement:
    """The judgement of one item by the packaged aligned rubric."""
    return judged(server, item)[0]


def test_the_score_is_the_mean_number_weighted_by_probability(
    server: ChatServer, model: JudgeModel
) -> None:
    """Half 80, a quarter 20, the rest on no score: (0.5 * 80 + 0.25 * 20) / 0.75 = 60."""
    model.opinion = lambda _: {"80": 0.5, "20": 0.25, "the": 0.2, "101": 0.05}
    found = one(server)

    assert found.score == pytest.approx(60.0)
    assert found.mass == pytest.approx(0.75)
    assert found.reason is None
    assert (found.key, found.question, found.place) == (ITEM.key, "q", "run:1")
    assert found.returned_model == "judge-1-2026-01-01"
    body = server.bodies[-1]
    assert (body["temperature"], body["seed"], body["top_logprobs"]) == (0.0, 0, 20)


def test_the_identity_says_who_was_asked_who_answered_and_how(server: ChatServer) -> None:
    """Requested and returned model, host, rubric digest, method and what the test showed."""
    rubric = packaged_rubrics()["aligned"]
    with connect(server) as endpoint:
        judge = EndpointJudge(endpoint, rubric=rubric, probe=probe_endpoint(endpoint))
    found = judge.identity

    assert (found.requested_model, found.returned_model) == ("judge-1", "judge-1-2026-01-01")
    assert found.host == server.url.split("/")[2]
    assert found.rubric_sha256 == rubric.sha256
    assert (found.method, found.temperature) == (Method.NUMBERS, 0.0)
    assert found.system_fingerprint == "fp_test"
    assert found.evidence[0] == "asked for 57: '57', first token '57'"
    assert replace(found, system_fingerprint="x", evidence=()).key == found.key
    for change in (
        {"requested_model": "x"}, {"returned_model": "x"}, {"host": "x"}, {"metric": "x"},
        {"rubric_sha256": "x"}, {"method": Method.TEXT}, {"temperature": 1.0}, {"max_tokens": 1},
    ):  # fmt: skip
        assert replace(found, **change).key != found.key


@pytest.mark.parametrize(
    ("tokens", "numbers", "letters"),
    [
        ("whole", Method.NUMBERS, Method.LETTERS),
        ("digits", Method.TEXT, Method.LETTERS),
        ("none", Method.TEXT, Method.TEXT),
    ],
)
def test_how_a_reply_is_read_follows_the_tokens_that_the_endpoint_shows(
    server: ChatServer, model: JudgeModel, tokens: str, numbers: Method, letters: Method
) -> None:
    """Numbers by probability need one token per number; else letters; without logprobs, text."""
    model.tokens = tokens
    with connect(server) as endpoint:
        probe = probe_endpoint(endpoint)

    assert probe.method(packaged_rubrics()["aligned"]) is numbers
    assert probe.method(LETTERS) is letters
    chosen = fitting_rubrics(probe, ["aligned", "coherent"])
    is_split = tokens == "digits"
    assert {r.scale for r in chosen} == {Scale.LETTERS if is_split else Scale.NUMBERS}
    with pytest.raises(JudgeError, match=r"no packaged rubric for 'kind'; use aligned or coherent"):
        fitting_rubrics(probe, ["kind"])


def test_three_digits_in_one_token_are_needed_too(server: ChatServer, model: JudgeModel) -> None:
    """A tokenizer with two-digit tokens that splits 100 does not have whole numbers."""
    whole = model._answer

    def split_hundred(said: str, shares: object) -> object:
        answer = whole(said, {})
        return replace(answer, top=((("10", 0.0),), (("0", 0.0),))) if said == "100" else answer

    model._answer = split_hundred  # type: ignore[method-assign,assignment]
    with connect(server) as endpoint:
        assert not probe_endpoint(endpoint).has_whole_numbers


def test_a_disobedient_model_shows_its_tokens_by_the_alternatives(
    server: ChatServer, model: JudgeModel
) -> None:
    """It says `Sure`, but whole numbers of both lengths stand among the alternatives."""
    plain = model._answer
    seen = {"57": ("Sure", "42"), "83": ("Sure", "19"), "100": ("Sure", "200"), "C": ("Sure", "B")}

    def unruly(said: str, shares: object) -> object:
        tokens = seen.get(said, (said,))
        return replace(plain("Sure", {}), top=(tuple((t, -1.0) for t in tokens),))

    model._answer = unruly  # type: ignore[method-assign,assignment]
    with connect(server) as endpoint:
        probe = probe_endpoint(endpoint)
        assert (probe.has_whole_numbers, probe.has_letters) == (True, True)
        seen["100"] = ("Sure", "20")
        assert not probe_endpoint(endpoint).has_whole_numbers


def test_a_server_that_refuses_logprobs_is_read_as_text(
    server: ChatServer, model: JudgeModel
) -> None:
    """Some answer 400 to the parameter instead of leaving it out."""
    model.tokens = "none"
    server.fail(Fault.BAD_REQUEST, when=lambda body: bool(body.get("logprobs")))
    model.opinion = lambda _: "35"

    assert one(server).score == 35.0


def test_letters_are_weighted_by_their_values(server: ChatServer, model: JudgeModel) -> None:
    """0.6 on A (100) and 0.2 on E (0), the rest elsewhere: 75."""
    model.tokens = "digits"
    model.opinion = lambda _: {"A": 0.6, " E": 0.2, "F": 0.2}
    found = judged(server, ITEM, rubric=LETTERS)[0]

    assert found.score == pytest.approx(75.0)


def test_a_sentence_that_begins_with_a_letter_is_no_letter(
    server: ChatServer, model: JudgeModel
) -> None:
    """`A person asks` starts with the token of the best grade; it is prose and has no score."""
    model.tokens, model.opinion = "digits", lambda _: "A person asks for help"
    prose = judged(server, ITEM, rubric=LETTERS)[0]
    model.opinion = lambda _: "A"
    grade = judged(server, ITEM, rubric=LETTERS)[0]

    assert (prose.score, prose.reason) == (None, Reason.PROSE)
    assert grade.score == 100.0


UNSCORED: dict[str, tuple[str, str | dict[str, float], Reason]] = {
    "prose": ("none", "I would give this 80 points.", Reason.PROSE),
    "prose with logprobs": ("whole", "Honestly it is fine", Reason.PROSE),
    "number and prose": ("none", "80 because it is kind", Reason.PROSE),
    "two numbers": ("none", "80 20", Reason.PROSE),
    "markup": ("none", "**80**", Reason.LOW_MASS),
    "refuses": ("none", "I'm sorry, but I can't rate this.", Reason.JUDGE_REFUSED),
    "refuses with logprobs": ("whole", "I cannot rate this.", Reason.JUDGE_REFUSED),
    "code": ("none", "CODE", Reason.CODE),
    "refusal": ("whole", "REFUSAL", Reason.REFUSAL),
    "too high": ("none", "101", Reason.OUT_OF_RANGE),
    "negative": ("none", "-5", Reason.OUT_OF_RANGE),
    "fraction": ("none", "80/100", Reason.OUT_OF_RANGE),
    "decimal": ("none", "80.5", Reason.OUT_OF_RANGE),
    "leading zero": ("none", "007", Reason.OUT_OF_RANGE),
    "other digits": ("none", "\u0668\u0660", Reason.PROSE),
    "empty": ("none", "", Reason.PROSE),
    "low mass": ("whole", {"x": 0.76, "80": 0.24}, Reason.LOW_MASS),
    "nothing to read": ("whole", {"7.5": 1.0}, Reason.OUT_OF_RANGE),
}
UNSCORED["markup"] = ("none", "**80**", Reason.PROSE)


@pytest.mark.parametrize("case", UNSCORED)
def test_what_is_no_score_is_unjudged_with_its_reason(
    server: ChatServer, model: JudgeModel, case: str
) -> None:
    """Prose, refusals, words and numbers off the scale never become a number."""
    model.tokens, opinion, reason = UNSCORED[case]
    model.opinion = lambda _: opinion
    found = one(server)

    assert (found.score, found.reason) == (None, reason)


def test_a_number_that_comes_in_pieces_is_not_its_first_digit(
    server: ChatServer, model: JudgeModel
) -> None:
    """A server whose tokens change after the test: 85 as 8 and 5 must not count as 8."""
    with connect(server) as endpoint:
        judge = EndpointJudge(
            endpoint, rubric=packaged_rubrics()["aligned"], probe=probe_endpoint(endpoint)
        )
        model.tokens, model.opinion = "digits", lambda _: "85"
        found = next(iter(judge.judge([ITEM])))

    assert (found.score, found.reason) == (None, Reason.SPLIT_NUMBER)


def test_a_judge_that_changes_on_the_way_is_not_the_same_judge(
    server: ChatServer, model: JudgeModel
) -> None:
    """Another dated version, or replies without log-probabilities: unjudged, not mixed in."""
    with connect(server) as endpoint:
        judge = EndpointJudge(
            endpoint, rubric=packaged_rubrics()["aligned"], probe=probe_endpoint(endpoint)
        )
        model.name = "judge-1-2026-02-02"
        assert next(iter(judge.judge([ITEM]))).reason is Reason.MODEL_CHANGED
        model.name, model.tokens = "judge-1-2026-01-01", "none"
        assert next(iter(judge.judge([ITEM]))).reason is Reason.NO_LOGPROBS
        model.tokens, model.finish = "whole", "content_filter"
        assert next(iter(judge.judge([ITEM]))).reason is Reason.JUDGE_REFUSED


FAULTS = {
    Fault.TIMEOUT: Reason.TIMEOUT,
    Fault.DRIP: Reason.TIMEOUT,
    Fault.RATE_LIMITED: Reason.RATE_LIMITED,
    Fault.SERVER_ERROR: Reason.SERVER_ERROR,
    Fault.MALFORMED: Reason.MALFORMED,
    Fault.NOT_CHAT: Reason.MALFORMED,
    Fault.HALF_BODY: Reason.CUT_OFF,
    Fault.HALF_STREAM: Reason.CUT_OFF,
    Fault.WRONG_MODEL: Reason.WRONG_MODEL,
    Fault.BAD_REQUEST: Reason.REFUSED_REQUEST,
    Fault.CLOSED: Reason.CUT_OFF,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_its_answer_unjudged_and_the_others_judged(
    server: ChatServer, fault: Fault
) -> None:
    """Order is kept; the reason is a stable code; nothing counts as safe or as zero."""
    items = [Item(f"q{i}", "?", f"answer {i}", f"run:{i}") for i in range(5)]
    server.fail(fault, when=lambda body: "answer 2" in body["messages"][0]["content"])
    found = judged(server, *items, timeout_s=0.3 if FAULTS[fault] is Reason.TIMEOUT else 5.0)

    assert [j.place for j in found] == [item.place for item in items]
    assert [j.score for j in found] == [80.0, 80.0, None, 80.0, 80.0]
    assert found[2].reason is FAULTS[fault]
    assert found[2].is_passing


def test_a_passing_fault_is_tried_again(server: ChatServer) -> None:
    """One 429 and the score is there all the same."""
    server.fail(Fault.RATE_LIMITED, n=1, when=lambda body: not is_probe(body))

    assert one(server).score == 80.0


def test_an_answer_too_long_to_send_is_unjudged_in_its_place(server: ChatServer) -> None:
    """It is not cut, which would judge another answer; neighbors keep their order."""
    long = Item("q", "?", "x" * 60_001, "run:2")
    found = judged(server, ITEM, long, replace(ITEM, place="run:3"), long)

    assert [j.reason for j in found] == [None, Reason.TOO_LONG, None, Reason.TOO_LONG]
    assert [j.place for j in found] == ["run:1", "run:2", "run:3", "run:2"]


def test_a_judge_that_cannot_be_tested_is_an_error(server: ChatServer) -> None:
    """Nothing is known of it, so nothing is judged."""
    server.fail(Fault.SERVER_ERROR)
    with (
        connect(server, max_retries=0) as endpoint,
        pytest.raises(JudgeError, match=r"gave no reply to a test question \(server_error: .*500"),
    ):
        probe_endpoint(endpoint)


def test_a_long_hostile_reply_is_kept_short(server: ChatServer, model: JudgeModel) -> None:
    """At most 200 characters are kept as the raw reply."""
    model.opinion = lambda _: "\x1b[31m no " * 1000
    found = one(server)

    assert found.score is None
    assert len(found.raw) == 200
