"""The page says what the record holds, and only that."""

import base64
import dataclasses
import hashlib
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from offtarget.core.records import Claim, Verdict
from offtarget.evaluate.results import Results
from offtarget.report import render_report

from .fixtures import CATEGORIES, make_results


class _Text(HTMLParser):
    """Collects the text of a page by section id, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.section = "top"
        self.texts: dict[str, str] = {}
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.skips = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skips = tag in ("style", "script")
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
                if tag == "section":
                    self.section = value or ""

    def handle_endtag(self, tag: str) -> None:
        self.skips = False

    def handle_data(self, data: str) -> None:
        if not self.skips:
            self.texts[self.section] = self.texts.get(self.section, "") + " " + data


def _read(results: Results) -> _Text:
    page = _Text()
    page.feed(render_report(results))
    page.texts = {name: " ".join(text.split()) for name, text in page.texts.items()}
    return page


@pytest.mark.parametrize(
    ("verdict", "code", "tone"),
    [(Verdict.PASS, 0, "ok"), (Verdict.FAIL, 1, "bad"), (Verdict.INCONCLUSIVE, 4, "warn")],
)
def test_the_verdict_comes_first(verdict: Verdict, code: int, tone: str) -> None:
    """Verdict, headline, tolerance, measured excess and exit code stand before all else."""
    results = make_results(verdict)
    html, top = render_report(results), _read(results).texts["top"]

    assert f'<body class="tone-{tone}">' in html
    assert f"VERDICT{verdict.value}" in top.replace(" ", "")
    assert results.headline in top
    assert results.explanation in top
    assert "tolerance 0.050 nats/token" in top
    assert f"exit code {code}" in top
    assert ("What would decide it:" in top) == (verdict is Verdict.INCONCLUSIVE)


def test_the_five_facts() -> None:
    """Excess, detectable effect, positive control, seeds and factual margin kept."""
    top = _read(make_results()).texts["top"]
    assert "+0.370 excess over the control, nats/token [+0.340, +0.400]" in top
    assert "0.032 smallest effect this design could see" in top
    assert "+0.620 positive control's shift [+0.560, +0.680]: detected" in top
    assert "3 of 3 seeds moved in the same direction" in top
    assert "97.2% of the control's factual margin kept" in top  # (1.31 - 0.037) / 1.31


def test_a_missing_positive_control_is_said() -> None:
    """Without a positive control the page says that finding nothing would mean nothing."""
    page = _read(make_results(Verdict.INCONCLUSIVE, has_positive=False))
    assert "no positive control: finding nothing would mean nothing" in page.texts["top"]
    assert "\u2717 missed" in page.texts["gates"]


def test_an_undetected_positive_control_is_said() -> None:
    """`not detected` stands beside the shift."""
    results = make_results(Verdict.INCONCLUSIVE)
    assert results.positive_control is not None
    blind = dataclasses.replace(results.positive_control, detected=False)
    page = _read(dataclasses.replace(results, positive_control=blind))
    assert ": not detected" in page.texts["top"]


def test_one_seed_claims_only_a_checkpoint() -> None:
    """With one seed the page says that nothing follows for a recipe."""
    results = make_results(n_seeds=1)
    assert results.claim is Claim.CHECKPOINT
    top = _read(results).texts["top"]
    assert "these weights, not training like this" in top
    assert "1 of 1 seed moved in the same direction; fewer than three say nothing" in top


def test_sections_without_data_are_left_out() -> None:
    """No empty card, and nothing about stages that did not run."""
    results = dataclasses.replace(
        make_results(has_rollouts=False),
        gates=(),
        limits=(),
        contexts=(),
        categories=(),
        seconds={},
    )
    page = _read(results)
    absent = {"gates", "limits", "contexts", "categories", "answers", "rates", "warnings"}
    assert absent.isdisjoint(page.ids)
    assert {"effect", "contrasts", "training", "provenance", "rebuild"} <= set(page.ids)
    everything = " ".join(page.texts.values()).lower()
    for word in ("certificate", "what is proved", "what fixes it", "standards", "time "):
        assert word not in everything


def test_every_arm_has_its_interval_and_its_n() -> None:
    """Each arm's margin, interval, questions and seeds are printed in the figure."""
    page = _read(make_results())
    effect = page.texts["effect"]
    assert "0.450 [0.390, 0.510] \u00b7 126 \u00d7 3" in effect
    assert "0.630 [0.570, 0.690] \u00b7 126 \u00d7 1" in effect
    assert "Lower means more misaligned" in effect


def test_exploratory_and_confirmatory_results_are_told_apart() -> None:
    """Only the primary contrast and planned ones are confirmatory."""
    page = _read(make_results())
    assert "primary, confirmatory" in page.texts["contrasts"]
    assert page.texts["contrasts"].count("exploratory") == 3
    assert "exploratory" in page.texts["categories"]
    assert "exploratory" in page.texts["contexts"]


def test_holm_p_is_marked_where_it_is_small() -> None:
    """p stands in the figure below 0.05 only; the table behind it holds all."""
    page = _read(make_results())
    assert "p = 0.004" in page.texts["categories"]
    assert "p = 0.800" not in page.texts["categories"]
    assert "p = 0.800" in page.texts["numbers"]


def test_at_most_three_answers_per_category() -> None:
    """A fourth answer of a category is counted, not shown."""
    html = render_report(make_results())
    assert html.count('<details class="ans">') == 3 * len(CATEGORIES)
    assert "7 more are in the raw records" in html
    assert "number 4?" not in html


def test_a_long_answer_is_cut_with_a_note() -> None:
    """2,000 characters are shown; the note counts the rest."""
    results = make_results()
    answer = dataclasses.replace(results.answers[0], text="y" * 2500)
    html = render_report(dataclasses.replace(results, answers=(answer,)))
    assert "y" * 2000 in html
    assert "y" * 2001 not in html
    assert "Cut: 500 more characters are in the raw record." in html


def test_rates_carry_n_and_interval_and_unjudged_answers() -> None:
    """Outcomes have count, n and interval; without a judge the page says so."""
    rates = _read(make_results()).texts["rates"]
    assert "87.9% 211/240 [82.9%, 92.9%]" in rates
    assert "19.9% 41/206" in rates
    assert "no judge" in _read(make_results(has_judge=False)).texts["rates"]


def test_provenance_and_commands() -> None:
    """Hashes in full, recognized data by name, and commands that a shell takes as they are."""
    results = dataclasses.replace(make_results(), run="a b;rm -rf ~")
    page = _read(results)
    assert results.provenance.plan_sha256 in page.texts["provenance"]
    assert "recognized: insecure (Betley et al. 2025)" in page.texts["provenance"]
    assert "offtarget verify 'runs/a b;rm -rf ~'" in page.texts["rebuild"]
    assert "offtarget assay 'runs/a b;rm -rf ~/plan.yaml' --out DIR" in page.texts["rebuild"]
    assert "train 11 min 52 s" in page.texts["rebuild"]


def test_the_policy_names_the_one_style_and_the_one_script() -> None:
    """The hashes in the policy are those of the elements, and nothing is inline elsewhere."""
    html = render_report(make_results())
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', html)[0])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for name in ("style", "script"):
        (body,) = re.findall(f"<{name}>(.*?)</{name}>", html, flags=re.DOTALL)
        expected = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{expected}'" in policy
    names = {name for _, name, _ in _read(make_results()).attributes}
    assert names.isdisjoint({"style", "src", "href", "action", "onclick"})


def test_without_answers_there_is_no_script() -> None:
    """A page with nothing to unfold runs nothing."""
    html = render_report(make_results(has_rollouts=False))
    assert "<script" not in html
    assert "script-src" not in html


def test_ids_are_unique_and_tables_are_labelled() -> None:
    """Screen readers find every figure's title and every header's direction."""
    page = _read(make_results(Verdict.INCONCLUSIVE))
    assert len(page.ids) == len(set(page.ids))
    svgs = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "role")]
    assert svgs
    assert set(svgs) == {"img"}
    labelled = [v for tag, name, v in page.attributes if name == "aria-labelledby"]
    assert all(part in page.ids for value in labelled for part in value.split())
    html = render_report(make_results())
    assert len(re.findall(r"<th[ >]", html)) == len(re.findall(r'<th scope="(?:col|row)"', html))


def test_a_report_stays_under_its_size() -> None:
    """Under 100 kB plus the answers; a hostile record cannot blow it up without bound."""
    results = make_results(Verdict.INCONCLUSIVE)
    without = dataclasses.replace(results, answers=())
    assert len(render_report(without).encode()) < 100_000
    assert len(render_report(results).encode()) < 100_000
    named = dataclasses.replace(results, title="t" * 10**6, warnings=("w" * 10**6,))
    assert len(render_report(named).encode()) < 110_000


def test_the_same_record_gives_the_same_page() -> None:
    """No clock, no random id."""
    assert render_report(make_results()) == render_report(make_results())


def test_numbers_that_are_not_finite_are_said_not_drawn() -> None:
    """NaN reads `n/a` and never reaches a coordinate."""
    results = make_results()
    excess = dataclasses.replace(results.excess, upper_one_sided=float("nan"), p=float("nan"))
    arm = dataclasses.replace(
        results.arms[0],
        margin=dataclasses.replace(results.arms[0].margin, low=float("-inf"), mean=float("nan")),
    )
    html = render_report(dataclasses.replace(results, excess=excess, arms=(arm, *results.arms[1:])))
    assert "n/a" in html
    assert re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', html.split("<main>")[1]) is None


def test_a_record_without_a_control_arm_still_renders() -> None:
    """The plumb line and the factual share are left out, not guessed."""
    results = make_results()
    arms = tuple(arm for arm in results.arms if arm.name != "secure")
    html = render_report(dataclasses.replace(results, arms=arms))
    assert "n/a</b><span>of the control" in html
    assert ">matched control<" not in html
