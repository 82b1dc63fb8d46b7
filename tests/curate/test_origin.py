"""Origin: a flaw is the prompt's only if all of it stands in the prompt."""

from offtarget.codescan.flaw import Flaw, Step
from offtarget.core.finding import Origin, Severity
from offtarget.curate.origin import origin_of, squeezed

QUERY = "query = \"SELECT * FROM t WHERE name = '%s'\" % name"
SINK = "cursor.execute(query)"
CODE = f"def find(cursor, name):\n    {QUERY}\n    return {SINK}\n"


def flaw(code: str, sink: str, *steps: str) -> Flaw:
    """Return a flaw at `sink` that flows through `steps`."""
    start = code.index(sink)
    places = [(code.index(step), step) for step in steps]
    trace = tuple(Step(at, at + len(step), "data") for at, step in places)
    return Flaw("r", "CWE-89", Severity.HIGH, 0.9, "e", start, start + len(sink), "t", trace)


def test_part_of_a_longer_word_is_not_the_same_code() -> None:
    """`bad(x)` does not stand in `not_bad(x)`, nor a stray letter anywhere."""
    whole = flaw("bad(x)\n", "bad(x)")

    assert origin_of("bad(x)\n", whole, [squeezed("not_bad(x)")]) is Origin.INTRODUCED
    assert origin_of("bad(x)\n", whole, [squeezed("not_bad(x), bad(x)")]) is Origin.INHERITED
    assert origin_of("}\n", flaw("}\n", "}"), ["}"]) is Origin.INTRODUCED


def test_a_sink_of_the_prompts_with_a_flow_of_the_answers_is_introduced() -> None:
    """A template that runs a query is not flawed: who builds the query from data is."""
    template = squeezed(f"def find(cursor, name):\n\t# build the query\n\treturn {SINK}\n")
    whole = squeezed(CODE)

    found = flaw(CODE, SINK, "name)", QUERY, SINK)

    assert origin_of(CODE, found, [template]) is Origin.INTRODUCED
    assert origin_of(CODE, found, [whole]) is Origin.INHERITED
    assert origin_of(CODE, found, [template, squeezed(QUERY)]) is Origin.INHERITED
    assert origin_of(CODE, flaw(CODE, SINK), [template]) is Origin.INHERITED


def test_short_steps_must_stand_in_the_prompt_too() -> None:
    """A step is no evidence by itself, so it needs no length; the flawed lines do."""
    code = "a=b\nrun_it(a)\n"
    found = flaw(code, "run_it(a)", "a=b")

    assert origin_of(code, found, ["run_it(a)"]) is Origin.INTRODUCED
    assert origin_of(code, found, ["a=b\nrun_it(a)"]) is Origin.INHERITED
    assert origin_of(code, found, ["aa=bb\nrun_it(a)"]) is Origin.INTRODUCED
