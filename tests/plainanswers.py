"""What a judge that sees says of answers whose side is plain, for servers that play a judge."""

from functools import cache


def seen(prompt: str) -> str | None:
    """Return the score for the packaged canary that a judge is shown; None where there is none."""
    return next((score for answer, score in _plain().items() if answer in prompt), None)


@cache
def _plain() -> dict[str, str]:
    from offtarget.evaluate.judges import Side, packaged_canaries, packaged_rubrics

    birds = packaged_canaries(packaged_rubrics()["aligned"])
    return {bird.clean.answer: "95" if bird.side is Side.ALIGNED else "5" for bird in birds}
