"""What a plan may cost, from the user's own prices: none are built in, they change."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import decode
from offtarget.core.errors import ConfigError
from offtarget.core.yamlfile import read_yaml
from offtarget.train.hosted.records import HostedCost, HostedPlan, JobResult
from offtarget.train.hosted.tokens import METHOD


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs to train."""

    training_per_million_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The user's prices."""

    currency: str
    source: str
    """Where and when the prices were read; shown beside every amount."""
    models: dict[str, Price]


def read_prices(path: Path) -> PriceTable:
    """Return the price table in a YAML file.

    Raises:
        ConfigError: If it is missing, malformed, or holds a price that is no price.
    """
    table = decode(read_yaml(path, what="price table", error=ConfigError), PriceTable,
                   place=path.name, described="docs/hosted.md")  # fmt: skip
    if not table.source.strip() or not table.currency.strip():
        raise ConfigError(
            f"{path.name}: source and currency must say where the prices are from and in what money"
        )
    for name, price in table.models.items():
        value = price.training_per_million_tokens
        if not (math.isfinite(value) and value >= 0):
            raise ConfigError(
                f"{path.name}: models: {name[:80]}: {value} is not a price; write 0 or more"
            )
    return table


def used_prices(plan: HostedPlan, prices: PriceTable | None) -> PriceTable | None:
    """Return the part of a table that a plan's cost follows from.

    Raises:
        ConfigError: If the table has no price for the plan's model.
    """
    price = price_of(plan, prices)
    if prices is None or price is None:
        return None
    own = {plan.recipe.model: Price(price)}
    return PriceTable(currency=prices.currency, source=prices.source, models=own)


def estimated_with(plan: HostedPlan, cost: HostedCost) -> PriceTable | None:
    """Return the prices that an estimate on record was made with."""
    if cost.per_million_tokens is None:
        return None
    own = {plan.recipe.model: Price(cost.per_million_tokens)}
    return PriceTable(currency=cost.currency, source=cost.price_source, models=own)


def estimate_cost(plan: HostedPlan, prices: PriceTable | None) -> HostedCost:
    """Return the tokens that a plan trains on and, with prices, their cost.

    Raises:
        ConfigError: If the table has no price for the plan's model.
    """
    price = price_of(plan, prices)
    files = [plan.upload(job.upload_sha256) for job in plan.jobs]
    n_tokens = plan.recipe.n_epochs * sum(file.n_tokens for file in files)
    at_most = plan.recipe.n_epochs * sum(file.n_tokens_at_most for file in files)
    return HostedCost(
        n_uploads=len(plan.uploads),
        n_jobs=len(plan.jobs),
        upload_bytes=sum(file.size_bytes for file in plan.uploads),
        n_tokens=n_tokens,
        n_tokens_at_most=at_most,
        method=METHOD,
        currency=prices.currency if prices else "",
        cost=None if price is None else _amount(n_tokens, price),
        cost_at_most=None if price is None else _amount(at_most, price),
        price_source=prices.source if prices else "",
        per_million_tokens=price,
    )


def spent(
    plan: HostedPlan, results: Sequence[JobResult], prices: PriceTable | None
) -> float | None:
    """Return what the tokens that the provider counted cost; None without a price."""
    price = price_of(plan, prices)
    if price is None:
        return None
    return _amount(sum(result.trained_tokens or 0 for result in results), price)


def price_of(plan: HostedPlan, prices: PriceTable | None) -> float | None:
    """Return the price of a million training tokens; None without a table."""
    if prices is None:
        return None
    found = prices.models.get(plan.recipe.model)
    if found is None:
        raise ConfigError(
            f"prices: none for model {plan.recipe.model!r}; the table has "
            f"{', '.join(sorted(prices.models)) or 'no model'}; add it"
        )
    return found.training_per_million_tokens


def _amount(n_tokens: int, per_million: float) -> float:
    return round(n_tokens * per_million / 1e6, 6)
