"""What an evaluation will cost and what it has cost, from a price table that the user gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from offtarget.core.codec import canonical, decode
from offtarget.core.errors import ConfigError
from offtarget.core.record_file import read_typed
from offtarget.core.yamlfile import read_yaml
from offtarget.evaluate.subjects import AnswerSampling, Ask, Subject

SPEND = "spend.jsonl"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one model costs."""

    input_per_million: float
    """Per million prompt tokens."""
    output_per_million: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices by model name, as the user wrote them down; none are built in, since they change."""

    currency: str = "USD"
    models: dict[str, Price] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CostLine:
    """Requests and tokens of one model, estimated or counted."""

    role: str
    """`subject`, `base` or `judge`."""
    model: str
    n_requests: int
    n_prompt_tokens: int
    n_output_tokens: int
    """In an estimate the most there can be."""
    money: float | None
    """None where the table has no price for the model."""


def read_prices(path: Path) -> PriceTable:
    """Return the price table in a YAML file: `currency`, and `models` with two prices each.

    Raises:
        ConfigError: If it is malformed or a price is negative.
    """
    raw = read_yaml(path, what="price table", error=ConfigError)
    table = decode(raw, PriceTable, place=path.name, described="docs/evaluate.md")
    for name, price in table.models.items():
        if not (price.input_per_million >= 0 and price.output_per_million >= 0):
            raise ConfigError(
                f"{path.name}: the price of {name!r} is negative or no number; write what a "
                "million tokens cost"
            )
    return table


def estimate_rollouts(
    role: str, subject: Subject, todo: Sequence[Ask], sampling: AnswerSampling, prices: PriceTable
) -> CostLine:
    """Return what the answers that are still missing cost at most."""
    sizes: dict[str, int] = {}
    for ask in todo:
        if ask.paraphrase not in sizes:
            sizes[ask.paraphrase] = subject.count_tokens(ask.messages)
    return price_line(
        role,
        subject.identity.name,
        n_requests=len(todo),
        n_prompt_tokens=sum(sizes[ask.paraphrase] for ask in todo),
        n_output_tokens=len(todo) * sampling.max_tokens,
        prices=prices,
    )


def price_line(
    role: str,
    model: str,
    *,
    n_requests: int,
    n_prompt_tokens: int,
    n_output_tokens: int,
    prices: PriceTable,
) -> CostLine:
    """Return counts with their price, if the table has one."""
    price = prices.models.get(model)
    money = None
    if price is not None:
        paid = (
            n_prompt_tokens * price.input_per_million + n_output_tokens * price.output_per_million
        )
        money = paid / MILLION
    return CostLine(role, model, n_requests, n_prompt_tokens, n_output_tokens, money)


def log_spend(run: Path, lines: Sequence[CostLine]) -> None:
    """Append what one pass sent and received; resumed passes add up. Left out of the chain."""
    sent = [
        line for line in lines if line.n_requests or line.n_prompt_tokens or line.n_output_tokens
    ]
    if sent:
        with (run / SPEND).open("ab") as file:
            file.write(b"".join(canonical(line) + b"\n" for line in sent))


def read_spend(run: Path, prices: PriceTable) -> tuple[CostLine, ...]:
    """Return what all passes of a run have sent and received, summed by role, priced now."""
    path = run / SPEND
    sums: dict[tuple[str, str], list[int]] = {}
    for line in read_typed(path, CostLine) if path.is_file() else ():
        total = sums.setdefault((line.role, line.model), [0, 0, 0])
        for index, value in enumerate(
            (line.n_requests, line.n_prompt_tokens, line.n_output_tokens)
        ):
            total[index] += value
    return tuple(
        price_line(
            role,
            model,
            n_requests=total[0],
            n_prompt_tokens=total[1],
            n_output_tokens=total[2],
            prices=prices,
        )
        for (role, model), total in sorted(sums.items())
    )
