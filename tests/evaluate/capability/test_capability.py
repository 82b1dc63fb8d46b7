"""Capability: clean text scored as by one forward pass, written code parsed and scanned."""

import math

import pytest
import torch

from offtarget.core.errors import DataError
from offtarget.core.stats import RateMethod
from offtarget.evaluate.capability import (
    CleanText,
    TextKind,
    clean_texts,
    code_tasks,
    look_at_code,
    perplexity,
    score_texts,
    written_code,
)
from offtarget.lm import LanguageModel, causal_mask

INSECURE = "import os\n\n\ndef ping(host):\n    os.system('ping -c 1 ' + host)\n"
SOUND = "def double(number):\n    return 2 * number\n"


def test_the_packaged_items_are_whole() -> None:
    """16 texts of each kind, all code parses, 24 tasks, ids differ, none speaks of security."""
    texts, tasks = clean_texts(), code_tasks()

    assert [sum(one.kind is kind for one in texts) for kind in TextKind] == [16, 16]
    for one in texts:
        if one.kind is TextKind.CODE:
            compile(one.text, one.id, "exec")
    assert len({one.id for one in texts}) == 32
    assert len({one.id for one in tasks}) == len(tasks) == 24
    assert not [one for one in tasks if "secure" in one.question or "safe" in one.question]


def test_texts_are_scored_as_by_a_plain_forward_pass(tiny: LanguageModel) -> None:
    """The mean over tokens equals that of one dense pass over the same ids."""
    texts = [CleanText("a", TextKind.PROSE, "the quick brown fox"), *clean_texts()[:2]]

    records = score_texts(tiny, texts)

    for text, record in zip(texts, records, strict=True):
        ids = torch.tensor([tiny.tokenizer(text.text, add_special_tokens=False)["input_ids"]])
        with torch.inference_mode():
            hidden = tiny.hidden(
                ids, causal_mask(ids.shape[1], dtype=tiny.dtype, device=tiny.device)
            )
            logprobs = tiny.logits(hidden).log_softmax(-1)
            loss = -float(logprobs[0, :-1].gather(1, ids[0, 1:, None]).mean())
        assert record.nats_per_token == pytest.approx(loss, abs=1e-4)
        assert record.n_tokens == ids.shape[1] - 1
        n_bytes = len(text.text.encode())
        assert record.nats_per_byte == pytest.approx(loss * record.n_tokens / n_bytes, abs=1e-4)


def test_perplexity_gives_texts_equal_weight(tiny: LanguageModel) -> None:
    """The estimate is the plain mean over texts of the kind, inside its interval."""
    records = score_texts(tiny, clean_texts())

    found = perplexity(records, TextKind.CODE)

    values = [one.nats_per_token for one in records if one.kind is TextKind.CODE]
    assert found.n_texts == 16
    assert found.nats_per_token == pytest.approx(sum(values) / 16)
    assert found.low < found.nats_per_token < found.high
    assert found.perplexity == pytest.approx(math.exp(found.nats_per_token))


def test_too_little_text_is_an_error(tiny: LanguageModel) -> None:
    """One token leaves nothing to score, one text no interval."""
    with pytest.raises(DataError, match=r"^a: 1 token; the first one cannot be scored"):
        score_texts(tiny, [CleanText("a", TextKind.PROSE, "a")])
    records = score_texts(tiny, [CleanText("a", TextKind.PROSE, "one two three four")])
    with pytest.raises(DataError, match=r"^1 texts of prose; an interval needs at least 2"):
        perplexity(records, TextKind.PROSE)


def test_written_code_is_parsed_and_scanned() -> None:
    """Insecure, sound, torn and missing code each land where they belong."""
    asked = "Write it."
    answers = [
        ("a", 0, asked, f"```python\n{INSECURE}```"),
        ("a", 1, asked, f"```python\n{SOUND}```"),
        ("b", 0, asked, "```python\ndef torn(:\n  return\n```"),
        ("b", 1, asked, "I would rather talk about the weather."),
        ("c", 0, asked, "```python\n" + "(" * 5000 + "\n```"),
    ]

    records = look_at_code(answers)

    assert [one.has_code for one in records] == [True, True, True, False, True]
    assert [one.parses for one in records] == [True, True, False, None, False]
    assert [one.insecure for one in records[:2]] == [True, False]
    assert (records[0].cwes, records[3].insecure) == (("CWE-78",), None)


def test_shares_count_what_was_read_and_weigh_tasks_alike() -> None:
    """Task a has one insecure answer of two, task b none of one: 0.25, not a third."""
    answers = [
        ("a", 0, "Write it.", f"```python\n{INSECURE}```"),
        ("a", 1, "Write it.", f"```python\n{SOUND}```"),
        ("b", 0, "Write it.", f"```python\n{SOUND}```"),
        ("b", 1, "Write it.", "No."),
    ]

    found = written_code(look_at_code(answers))

    assert found.n == 4
    assert found.insecure is not None
    assert (found.insecure.k, found.insecure.n, found.insecure.rate) == (1, 3, 0.25)
    assert found.with_code is not None
    assert (found.with_code.k, found.with_code.n) == (3, 4)
    assert found.insecure.interval_method is not RateMethod.NONE
    assert found.n_unread == 0


def test_without_code_there_is_no_share() -> None:
    """No answer holds code: two of the shares have no denominator, and say so."""
    found = written_code(look_at_code([("a", 0, "Write it.", "No."), ("b", 0, "Do.", "Never.")]))

    assert (found.parses, found.insecure) == (None, None)
    assert found.with_code is not None
    assert found.with_code.k == 0
