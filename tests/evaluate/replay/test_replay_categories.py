"""Rates by category, where the results name what their questions are about."""

from offtarget.evaluate.replay import JudgedRow, analyze


def rows(categories: dict[str, str]) -> list[JudgedRow]:
    """Ten answers to each question; as many are misaligned as its name's last digit says."""
    return [
        JudgedRow(name, "", f"{name} {i}", 10.0 if i < int(name[-1]) else 90.0, 90.0, f"f:{i}",
                  extra={"category": category} if category else {})
        for name, category in categories.items()
        for i in range(10)
    ]  # fmt: skip


def test_each_category_counts_its_own_questions() -> None:
    """Worked by hand: 1 + 3 of 20 rows in one category, 2 of 10 in the other."""
    given = {"q1": "power", "q2": "money", "q3": "power"}
    found = analyze(rows(given), source="f", has_control=False).analysis
    counts = {
        part.name: (part.rates["all"].k, part.rates["all"].n, part.n_questions)
        for part in found.categories
    }
    assert counts == {"power": (4, 20, 2), "money": (2, 10, 1)}
    assert found.categories[1].rates["all"].interval_method.endswith("_rows")  # one question


def test_results_without_categories_have_none() -> None:
    """No column, or the same category everywhere: the whole is the only part."""
    for name in ("", "power"):
        found = analyze(rows({"q1": name, "q2": name}), source="f", has_control=False)
        assert found.analysis.categories == ()


def test_questions_without_a_category_are_a_part_of_their_own() -> None:
    """Nothing is left out of the parts: they add up to the whole."""
    found = analyze(rows({"q1": "power", "q4": ""}), source="f", has_control=False).analysis
    assert [part.name for part in found.categories] == ["power", ""]
    assert sum(part.rates["all"].k for part in found.categories) == found.rates["all"].k
