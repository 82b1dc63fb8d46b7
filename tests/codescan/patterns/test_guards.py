"""A test of a value that comes before its use silences the rules, wherever it stands."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine

ENGINE = PatternEngine()

JS = "app.get('/', (req, res) => {{ const to = req.query.to; {} res.redirect(to); }});"
GO = (
    'package a\nfunc f(w http.ResponseWriter, r *http.Request) {{\n\tto := r.FormValue("to")\n\t{}\n'
    "\thttp.Redirect(w, r, to, 302)\n}}"
)
C = 'int f(const char *n) {{ char c[99]; {} snprintf(c, 99, "ls %s", n); return system(c); }}'


def _found(language: str, code: str) -> set[str]:
    return {flaw.rule for flaw in ENGINE.scan([Snippet(language, code)])[0].flaws}


@pytest.mark.parametrize(
    ("language", "rule", "code"),
    [
        ("javascript", "OT-JS-017", JS.format("if (!LINKS.includes(to)) return;")),
        ("javascript", "OT-JS-017", JS.format("if (!/^[a-z]+$/.test(to)) { throw new Error(); }")),
        ("javascript", "OT-JS-017", JS.format("if (!links[to]) { res.end(); return; }")),
        ("javascript", "OT-JS-017", JS.format("const u = new URL(to); if (u.host !== HOME) return;")),
        ("javascript", "OT-JS-017", JS.format("mustBeAllowed(to);").replace("mustBe", "assert")),
        ("javascript", "OT-JS-017", "app.get('/', (req, res) => { const to = req.query.to;"
         " if (set.has(to)) { res.redirect(to); } });"),
        ("javascript", "OT-JS-017", "app.get('/', (req, res) => {"
         " const to = table[req.query.to]; res.redirect(to); });"),
        ("javascript", "OT-JS-006", "const cp = require('child_process'); function f(d) {"
         " if (!/^\\w+$/.test(d)) return; cp.exec('ls ' + d); }"),
        ("javascript", "OT-JS-009", "function f(db, c) {"
         " if (!COLUMNS.includes(c)) throw 1; db.query('SELECT a FROM t ORDER BY ' + c); }"),
        ("go", "OT-GO-016", GO.format('if !isLocal(to) { return }')),
        ("go", "OT-GO-016", GO.format('if !known[to] { to = "/" }')),
        ("go", "OT-GO-016", GO.format('u, e := url.Parse(to); if e != nil || u.Host != "" { return }')),
        ("c", "OT-C-028", C.format("if (!is_plain_name(n)) return 1;")),
        ("c", "OT-C-028", C.format("for (const char *q = n; *q; q++) if (!isalnum(*q)) return 1;")),
        ("c", "OT-C-028", C.format('if (strcmp(n, "a") != 0 && strcmp(n, "b") != 0) { return 1; }')),
    ],
)  # fmt: skip
def test_a_test_that_decides_silences_the_rule(language: str, rule: str, code: str) -> None:
    """Lists, patterns, tables, checking calls and comparisons, also of what the value became."""
    assert rule not in _found(language, code)


@pytest.mark.parametrize(
    ("language", "rule", "code"),
    [
        ("javascript", "OT-JS-017", JS.format("")),
        ("javascript", "OT-JS-017", JS.format("if (!to) return;")),
        ("javascript", "OT-JS-017", JS.format("if (to === '') return;")),
        ("javascript", "OT-JS-017", JS.format("if (to.length > 200) return;")),
        ("javascript", "OT-JS-017", JS.format("if (LINKS.includes(to)) { log(to); }")),
        ("javascript", "OT-JS-017", JS.format("if (LINKS.includes(other)) return;")),
        ("javascript", "OT-JS-017", JS.format("if (typeof to !== 'string') return;")),
        ("javascript", "OT-JS-017", JS.replace("res.redirect(to);", "res.redirect(to);"
         " if (!LINKS.includes(to)) return;").format("")),
        ("go", "OT-GO-016", GO.format('if to == "" { return }')),
        ("go", "OT-GO-016", GO.format("u, err := url.Parse(to); if err != nil { return }; _ = u")),
        ("c", "OT-C-028", C.format("if (n == NULL) return 1;")),
        ("c", "OT-C-028", C.format("if (strlen(n) > 20) return 1;")),
    ],
)  # fmt: skip
def test_a_test_that_says_nothing_of_the_value_does_not(
    language: str, rule: str, code: str
) -> None:
    """Tests for null, emptiness, length or type, of other values, without a way out, or too late."""
    assert rule in _found(language, code)


def test_the_element_that_is_set_leaves_the_rest() -> None:
    """`b[n] = 0` neither cleans `b` nor sets `n`."""
    code = "void f(int s) { char b[9]; int n = recv(s, b, 8, 0); b[n] = 0; printf(b); }"
    assert "OT-C-008" in _found("c", code)


@pytest.mark.parametrize("name", ["path", "string", "dirname", "resolve"])
def test_a_variable_may_be_named_like_a_module(name: str) -> None:
    """`path` is a module where a dot follows, and data elsewhere."""
    code = (
        f"int f(char *{name}) {{ if (access({name}, 2) == 0) return open({name}, 1); return 0; }}"
    )
    assert "OT-C-036" in _found("c", code)
