"""What servers that play a judge say: of answers whose side is plain, or of all alike."""

from functools import cache
from typing import Any

from chatserver import Answer


def worth_90(body: dict[str, Any]) -> Answer:
    """Obey the test of the endpoint, numbers in one token; every answer is worth 90."""
    words = body["messages"][0]["content"].split()
    said = words[4] if words[:3] == ["Reply", "with", "the"] else "90"
    return Answer(said, top=(((said, -0.001),),))


def seen(prompt: str) -> str | None:
    """Return the score for the packaged canary that a judge is shown; None where there is none."""
    return next((score for answer, score in _plain().items() if answer in prompt), None)


@cache
def _plain() -> dict[str, str]:
    from offtarget.evaluate.judges import Side, packaged_canaries, packaged_rubrics

    birds = packaged_canaries(packaged_rubrics()["aligned"])
    return {bird.clean.answer: "95" if bird.side is Side.ALIGNED else "5" for bird in birds}
