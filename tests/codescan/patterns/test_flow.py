"""Where a value comes from decides: definitions and uses by name, in every language."""

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine

ENGINE = PatternEngine()


def _found(language: str, code: str) -> set[str]:
    return {flaw.rule for flaw in ENGINE.scan([Snippet(language, code)])[0].flaws}


JAVA = "class A {{ void f(HttpServletRequest r, Answer w) {{ {} w.getWriter().println(x); }} }}"
JS = "app.get('/', (req, res) => {{ {} res.redirect(x); }});"
GO = "package a\nfunc f(w http.ResponseWriter, r *http.Request) {{\n{}\nhttp.Get(x)\n}}"


@pytest.mark.parametrize(
    ("language", "rule", "code"),
    [
        ("java", "OT-JAVA-004", JAVA.format('String x = r.getParameter("a");')),
        ("java", "OT-JAVA-004", JAVA.format('String y = r.getHeader("a"); String x = y + "b";')),
        ("java", "OT-JAVA-004", JAVA.format('x = "a"; if (c) { x = r.getParameter("a"); }')),
        ("java", "OT-JAVA-004", JAVA.format('sb.append(r.getParameter("a")); x = sb.toString();')),
        ("javascript", "OT-JS-017", JS.format("const x = req.query.next;")),
        ("javascript", "OT-JS-017", JS.format("const {x} = req.query;")),
        ("javascript", "OT-JS-017", JS.format("let x = '/'; x += req.query.next;")),
        ("go", "OT-GO-020", GO.format('x := r.FormValue("u")')),
        ("go", "OT-GO-020", GO.format('q := r.URL.Query()\nx := q.Get("u")')),
        ("php", "OT-PHP-001", "$x = $_GET['a']; $y = trim($x); echo $y;"),
        ("ruby", "OT-RB-010", "def f\n  x = params[:a]\n  redirect_to x\nend"),
        ("csharp", "OT-CS-006", 'class A { void F([FromQuery] string x) { Response.Write(x); } }'),
    ],
)  # fmt: skip
def test_data_of_a_client_is_followed(language: str, rule: str, code: str) -> None:
    """Through assignments, joins, conversions of containers and parameters, to the sink."""
    assert rule in _found(language, code)


@pytest.mark.parametrize(
    ("language", "rule", "code"),
    [
        ("java", "OT-JAVA-004", JAVA.format('String x = "a" + 1;')),
        ("java", "OT-JAVA-004", JAVA.format('x = r.getParameter("a"); x = "fixed";')),
        ("java", "OT-JAVA-004", JAVA.format('x = Encode.forHtml(r.getParameter("a"));')),
        ("java", "OT-JAVA-004", JAVA.format('int x = Integer.parseInt(r.getParameter("a"));')),
        ("javascript", "OT-JS-017", JS.format("const y = req.query.next; const x = '/home';")),
        ("javascript", "OT-JS-017", JS.format("// req.query.x\nconst x = 'req.query.x';")),
        ("go", "OT-GO-020", GO.format('y := r.FormValue("u")\nx := "https://a.example/"')),
        ("php", "OT-PHP-001", "$x = intval($_GET['a']); echo $x;"),
        ("php", "OT-PHP-001", "function g() { $x = $_GET['a']; } function f() { echo $x; }"),
    ],
)
def test_data_that_is_fixed_or_cleaned_is_left(language: str, rule: str, code: str) -> None:
    """Constants, later constants, conversions, escaping, comments, strings, other functions."""
    assert rule not in _found(language, code)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("java", 'class A { void f() { String t = "u"; st.execute("SELECT * FROM " + t); } }'),
        ("javascript", "const t = 'u'; db.query(`SELECT * FROM ${t} WHERE a = ?`, [b]);"),
        ("go", 'package a\nconst t = "u"\nfunc f() { db.Query("SELECT * FROM " + t) }'),
        ("csharp", 'class A { void F() { var c = new SqlCommand("SELECT a" + " FROM b", k); } }'),
        ("php", "$t = 'u'; mysqli_query($c, \"SELECT * FROM $t\");"),
        ("rust", 'fn f() { let t = "u"; conn.execute(&format!("SELECT * FROM {}", t), []); }'),
        ("rust", 'fn f() { let t = "u"; conn.execute(&format!("SELECT * FROM {t}"), []); }'),
    ],
)
def test_text_put_together_from_constants_is_no_injection(language: str, code: str) -> None:
    """A table name that is a constant of the snippet is not data."""
    assert not any(flaw.cwe == "CWE-89" for flaw in ENGINE.scan([Snippet(language, code)])[0].flaws)


@pytest.mark.parametrize(
    "code",
    [
        'fn f(t: &str) { conn.execute(&format!("SELECT * FROM {}", t), []); }',
        'fn f(t: &str) { let q = format!("SELECT * FROM {t}"); conn.execute(&q, []); }',
    ],
)
def test_names_inside_rusts_format_strings_are_seen(code: str) -> None:
    """`{t}` joins like `{}` with an argument."""
    assert "OT-RS-012" in _found("rust", code)


def test_a_format_into_a_buffer_builds_the_command() -> None:
    """C's writing calls count as assignments to what they write."""
    code = 'void f(char *n) { char c[99]; snprintf(c, 99, "ls %s", n); system(c); }'
    assert "OT-C-028" in _found("c", code)
    fixed = 'void f(void) { char c[99]; snprintf(c, 99, "ls %s", "a"); system(c); }'
    assert "OT-C-028" not in _found("c", fixed)
