"""The whole path of a judge against a local server that serves the embedded model."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from judgedrun import write_run

from chatserver import Answer, ChatServer
from offtarget import api
from offtarget.core.records import Message
from offtarget.evaluate.judges import Method

CACHE = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()


class Served:
    """Greedy replies of a model with the log-probabilities of its tokens; one at a time."""

    def __init__(self, lm: Any) -> None:
        self.lm = lm
        self.lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> Answer:
        import torch
        from transformers import DynamicCache

        from offtarget.lm import decode_tokens, encode_prompt
        from offtarget.lm.forward import additive

        asked = [Message(m["role"], m["content"]) for m in body["messages"]]
        with self.lock, torch.inference_mode():
            ids = encode_prompt(self.lm, asked, place="request")
            cache = DynamicCache(config=self.lm.causal.config)
            said: list[int] = []
            top: list[tuple[tuple[str, float], ...]] = []
            is_ended, block, n_read = False, list(ids), 0
            while len(said) < body["max_tokens"] and not is_ended:
                seen = torch.ones(len(block), n_read + len(block), dtype=torch.bool)
                mask = additive(seen.triu(n_read + 1)[None, None], dtype=self.lm.dtype)
                places = torch.arange(n_read, n_read + len(block))[None]
                hidden = self.lm.hidden(torch.tensor([block]), mask, places, cache)
                logits = self.lm.logits(hidden[0, -1])
                n_read += len(block)
                token = int(logits.argmax())
                is_ended = token in self.lm.end_ids
                if not is_ended:
                    said.append(token)
                    top.append(self._alternatives(logits))
                block = [token]
        return Answer(
            decode_tokens(self.lm, said), finish="stop" if is_ended else "length", top=tuple(top),
            n_prompt=len(ids), n_completion=len(said),
        )  # fmt: skip

    def _alternatives(self, logits: Any) -> tuple[tuple[str, float], ...]:
        values, ids = logits.float().log_softmax(-1).topk(20)
        pairs = zip(ids.tolist(), values.tolist(), strict=True)
        return tuple((self.lm.tokenizer.decode([i]), value) for i, value in pairs)


@pytest.mark.slow
def test_the_embedded_model_as_a_judge_loses_nothing_and_claims_nothing(tmp_path: Path) -> None:
    """Too small to judge, and that is what comes out: tokens tested, all counted, gate or not."""
    from offtarget.lm import choose_arithmetic, load_model

    run = write_run(tmp_path / "runs" / "x", arms=("subject",))
    lm = load_model("embedded", arithmetic=choose_arithmetic("cpu", "float32"), cache=CACHE)
    with ChatServer(Served(lm)) as server:
        options = api.JudgeOptions(
            judge="openai:smollm2", url=server.url, concurrency=1, timeout_s=120.0
        )
        first = api.rejudge(run, options).result
        n_sent = len(server.bodies)
        second = api.rejudge(run, options).result
        assert len(server.bodies) == n_sent == server.n_answered

    assert second.n_asked == 0
    assert (second.tallies, second.arms, second.flips) == (first.tallies, first.arms, first.flips)
    # SmolLM2 has one token per digit, so 0-100 by first token would be wrong
    assert {judge.method for judge in first.judges} == {Method.LETTERS}
    for tally in first.tallies:
        assert tally.n == 32 == tally.scored + tally.excluded + tally.unjudged
    assert first.flips is not None
    assert first.flips.n_unknown == 0
    assert first.flips.n_blind >= 6  # it cannot tell good from bad, and the canaries say so
    for analysis in first.arms.values():
        bounds = analysis.bounds["all"]
        assert 0 <= bounds.low <= bounds.high <= 1
