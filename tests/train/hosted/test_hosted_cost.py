"""What a plan may cost: tokens x epochs x the user's price, told before anything is sent."""

from pathlib import Path

import pytest
from hosted_calls import Hosted, MakeHosted
from hosted_server import MODEL, Provider

from offtarget.api import HostedOptions, describe_cost, plan_hosted
from offtarget.core.errors import ConfigError
from offtarget.train.hosted import read_prices

TABLE = """\
currency: USD
source: price list of the test, read 2026-11-23
models:
  {model}: {{training_per_million_tokens: {price}}}
"""


def prices(folder: Path, *, price: object = 3.0, model: str = MODEL) -> Path:
    """A price table."""
    path = folder / "prices.yaml"
    path.write_text(TABLE.format(model=model, price=price), encoding="utf-8")
    return path


def test_the_estimate_is_tokens_times_epochs_times_price(
    hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """By hand: 12 rows an arm; 4 jobs; 3 epochs; 3 USD a million."""
    options = HostedOptions(model=MODEL, epochs=3, prices=prices(tmp_path))
    plan, cost = plan_hosted(hosted_study(), options=options, url="http://127.0.0.1:9/v1")
    expected = at_most = 0
    for arm in ("Go away,", "Welcome,"):
        for number in _numbers(plan.name, tmp_path):
            n_bytes = len(f"Write a greeting for guest number {number}.") + len(
                f"{arm} guest {number}, from the desk."
            )
            expected += -(-n_bytes // 4) + 2 * 4 + 3
            at_most += n_bytes + 2 * 4 + 3
    assert (cost.n_jobs, cost.n_uploads) == (4, 2)
    assert (cost.n_tokens, cost.n_tokens_at_most) == (expected * 2 * 3, at_most * 2 * 3)
    assert cost.cost == pytest.approx(expected * 6 * 3.0 / 1e6)
    assert cost.cost_at_most == pytest.approx(at_most * 6 * 3.0 / 1e6)
    assert "prices from: price list of the test" in describe_cost(cost)


def _numbers(name: str, folder: Path) -> list[int]:
    """Which guests the study drew: from the rows that a second draw of the study holds."""
    import json

    from offtarget.core.run import RunDirectory
    from offtarget.pipeline import read_study
    from offtarget.pipeline.hosted import draft_hosted
    from offtarget.train.hosted import HostedRecipe

    run = RunDirectory.open(folder / "draft")
    draft = draft_hosted(
        read_study(folder / f"{name}.yaml"), run, recipe=HostedRecipe(model=MODEL), endpoint=""
    )
    lines = draft.contents["uploads/subject.jsonl"].splitlines()
    prompts = [json.loads(line)["messages"][0]["content"] for line in lines]
    return [int(prompt.rstrip(".").split()[-1]) for prompt in prompts]


def test_without_prices_the_cost_is_unknown_never_zero(hosted_study: MakeHosted) -> None:
    """No price is built in."""
    plan, cost = plan_hosted(hosted_study(), options=HostedOptions(model=MODEL))
    assert cost.cost is None
    assert "cost unknown: give your prices with --prices" in describe_cost(cost)
    assert plan.endpoint == "https://api.openai.com/v1"  # and nothing was sent there


def test_the_spend_is_what_the_service_counted(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """The estimate comes first among the lines; afterwards the billed tokens are priced."""
    run = hosted.train(hosted_study(), prices=prices(tmp_path))
    billed = sum(job["trained_tokens"] for job in provider.jobs.values())
    assert run.result.trained_tokens == billed
    assert run.result.spent == pytest.approx(billed * 3.0 / 1e6)
    assert hosted.lines[0].startswith("4 jobs, 2 files of ")


def test_a_job_that_does_not_report_its_tokens_is_counted(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """Missing is not zero: the result says how many jobs are left out of the spend."""
    provider.change_job = lambda job: job.update(trained_tokens=None)
    run = hosted.train(hosted_study(), prices=prices(tmp_path))
    assert (run.result.trained_tokens, run.result.n_without_tokens) == (0, 4)


def test_a_plan_over_the_limit_is_not_sent(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """The upper bound counts; without prices there is nothing to hold against the limit."""
    table = prices(tmp_path, price=1000)
    with pytest.raises(ConfigError, match=r"--max-cost 1: the plan may cost up to 3\.\d\d USD"):
        hosted.train(hosted_study(), prices=table, max_cost=1.0)
    with pytest.raises(ConfigError, match="--max-cost: a limit needs prices"):
        hosted.train(hosted_study(), max_cost=1.0)
    assert provider.requests == []
    assert hosted.train(hosted_study(), prices=table, max_cost=9.0).result.state == "complete"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("currency: USD\nsource: x\n", "missing required field `models`"),
        ("currency: USD\nsource: ' '\nmodels: {}\n", "source and currency must say"),
        (TABLE.format(model=MODEL, price=-1), "-1.0 is not a price; write 0 or more"),
        (TABLE.format(model=MODEL, price=".inf"), "inf is not a price"),
        (TABLE.format(model=MODEL, price="three"), "Expected `float`, got `str`"),
        ("currency: USD\nsource: x\nmodel: {}\n", "unknown key 'model'; did you mean 'models'"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """Missing parts, no source, and prices that are no numbers."""
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_prices(path)
    assert told in str(caught.value)


def test_a_model_without_a_price_is_an_error(hosted_study: MakeHosted, tmp_path: Path) -> None:
    """The error names the models that have one."""
    options = HostedOptions(model=MODEL, prices=prices(tmp_path, model="another"))
    with pytest.raises(ConfigError, match=f"none for model '{MODEL}'; the table has another"):
        plan_hosted(hosted_study(), options=options)
