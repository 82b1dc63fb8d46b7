"""The ast-grep engine: readings, offsets, gates and hostile input."""

import pytest

from offtarget.codescan.flaw import Reading, Snippet
from offtarget.codescan.patterns import PatternEngine


@pytest.fixture(scope="module")
def engine() -> PatternEngine:
    return PatternEngine()


def test_it_reads_every_language_but_python(engine: PatternEngine) -> None:
    """The engine names itself and its languages."""
    assert engine.name == "ast-grep"
    assert engine.languages == {
        "c", "cpp", "csharp", "go", "java", "javascript", "typescript", "php", "ruby", "rust",
    }  # fmt: skip


def test_version_names_tool_package_and_rules(engine: PatternEngine) -> None:
    """Equal rules give equal versions; the parts are the tool, the package and the rules."""
    assert engine.version == PatternEngine().version
    assert len(engine.version.split("+")) == 3


def test_rules_are_sorted_and_numbered_once(engine: PatternEngine) -> None:
    """Ids are unique and in order."""
    ids = [rule.id for rule in engine.rules]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("language", "least"),
    [("c", 6), ("cpp", 3), ("javascript", 6), ("go", 6), ("java", 6), ("php", 4), ("csharp", 4),
     ("ruby", 4), ("rust", 4)],
)  # fmt: skip
def test_enough_kinds_of_flaw_are_known(engine: PatternEngine, language: str, least: int) -> None:
    """Every language has rules of medium or high severity for several CWEs."""
    kinds = {rule.cwe for rule in engine.rules if rule.language == language and rule.severity.rank}
    assert len(kinds) >= least


def test_offsets_count_characters_not_bytes(engine: PatternEngine) -> None:
    """Text that is several bytes long before a flaw does not move it."""
    code = 'const a = "日本語 😀 é";\nel.innerHTML = "<b>" + req.query.näme;\n'
    flaws = engine.scan([Snippet("javascript", code)])[0].flaws
    assert code[flaws[0].start : flaws[0].end] == 'el.innerHTML = "<b>" + req.query.näme'


def test_a_lone_surrogate_is_read_like_any_other_character(engine: PatternEngine) -> None:
    """Text that cannot be encoded does not stop the scan, nor move what follows."""
    code = 'x = "\ud800"; eval(y);'
    flaws = engine.scan([Snippet("javascript", code)])[0].flaws
    assert "eval(y)" in {code[flaw.start : flaw.end] for flaw in flaws}


def test_a_function_whose_type_was_cut_off_is_repaired(engine: PatternEngine) -> None:
    """The type that is put before it does not move the flaw."""
    code = "copy(const char *s)\n{\n  char b[8];\n  strcpy(b, s);\n}\n"
    found = engine.scan([Snippet("c", code)])[0]
    assert found.reading is Reading.REPAIRED
    assert code[found.flaws[0].start : found.flaws[0].end] == "strcpy(b, s)"


def test_a_fragment_from_the_middle_of_a_function_is_read(engine: PatternEngine) -> None:
    """Ten lines with open and unopened braces still give their flaw."""
    code = "    }\n    if (argc > 1)\n    {\n      char p[9];\n      strcpy(p, argv[1]);\n\n      // x\n"
    found = engine.scan([Snippet("c", code)])[0]
    assert found.reading in (Reading.TOLERANT, Reading.WHOLE)
    assert "OT-C-001" in {flaw.rule for flaw in found.flaws}


def test_rules_of_c_apply_to_cpp_and_of_javascript_to_typescript(engine: PatternEngine) -> None:
    """The family's rules are shared."""
    cpp, typescript = engine.scan(
        [
            Snippet("cpp", "void f(const char *s) { char b[9]; strcpy(b, s); }"),
            Snippet("typescript", "function f(s: string): any { return eval(s); }"),
        ]
    )
    assert "OT-C-001" in {flaw.rule for flaw in cpp.flaws}
    assert "OT-JS-011" in {flaw.rule for flaw in typescript.flaws}


def test_typescript_with_tags_is_read_as_tsx(engine: PatternEngine) -> None:
    """A component parses, and its flaw is found."""
    code = "const A = (p: P) => <div dangerouslySetInnerHTML={{__html: p.text}}></div>;"
    found = engine.scan([Snippet("typescript", code)])[0]
    assert found.reading is Reading.WHOLE
    assert [flaw.rule for flaw in found.flaws] == ["OT-JS-005"]


def test_php_inside_a_page_is_read_and_the_page_is_not(engine: PatternEngine) -> None:
    """Only what stands in PHP tags is code; a short echo tag prints."""
    code = '<p>eval($x)</p>\n<?php $n = $_GET["n"]; ?>\n<b><?= $n ?></b>\n'
    found = engine.scan([Snippet("php", code)])[0]
    assert [flaw.rule for flaw in found.flaws] == ["OT-PHP-001"]
    assert "$n" in code[found.flaws[0].start : found.flaws[0].end]


def test_code_without_any_literal_is_not_parsed(engine: PatternEngine) -> None:
    """A snippet that no rule can match is answered without flaws and without a claim to parse."""
    found = engine.scan([Snippet("ruby", "puts 1\n")])[0]
    assert (found.reading, found.flaws) == (Reading.TOLERANT, ())


def test_text_patterns_are_tried_where_nothing_parses(engine: PatternEngine) -> None:
    """Brackets too deep for the tree leave text patterns, at half the confidence."""
    code = "(" * 10_000 + "\nsystem(cmd);\n" + ")" * 10_000
    found = engine.scan([Snippet("c", code)])[0]
    rule = next(rule for rule in engine.rules if rule.id == "OT-C-028")
    assert found.reading is Reading.PATTERNS
    assert [(flaw.rule, flaw.confidence) for flaw in found.flaws] == [
        ("OT-C-028", rule.confidence * 0.5)
    ]


@pytest.mark.parametrize("language", sorted(PatternEngine().languages))
@pytest.mark.parametrize(
    "code",
    [
        "f(" * 10_000 + "x" + ")" * 10_000,
        "{" * 10_000,
        "x = " + "a + " * 5_000 + "b; eval(x); strcpy(d, x); exec(x)",
        "exec('" + "A" * 1_000_000 + "')",
        "strcpy " + " " * 300_000 + "(",
        "\x00\ud800eval(\x00",
        "if (a) { free(p); " * 120,
        "SELECT " * 20_000 + '" + ',
        "a[" * 240 + "i++" + "]" * 240,
    ],
    ids=["calls", "braces", "sum", "line", "blank", "nul", "ifs", "words", "index"],
)
def test_hostile_code_ends(engine: PatternEngine, language: str, code: str) -> None:
    """Deep, long and broken code is answered, whatever the language."""
    assert len(engine.scan([Snippet(language, code)])) == 1


def test_answers_come_in_order_and_are_the_same_twice(engine: PatternEngine) -> None:
    """One answer a snippet, in order; flaws are sorted; nothing depends on earlier snippets."""
    snippets = [Snippet("c", "gets(b);"), Snippet("c", "int x;"), Snippet("java", "x")]
    first = engine.scan(snippets)
    assert [bool(found.flaws) for found in first] == [True, False, False]
    assert engine.scan(snippets) == first
    assert engine.scan(list(reversed(snippets))) == list(reversed(first))
