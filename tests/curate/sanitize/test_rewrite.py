"""What the sanitizer does with whole snippets."""

from collections.abc import Sequence

import pytest

from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Severity
from offtarget.curate.sanitize import FixStatus, ToSanitize, sanitize_code, sanitize_many
from offtarget.curate.sanitize.apply import applied

from .cases import engines, flaws_of, sanitized

MODE = "import os\n\n\ndef publish(path):\n    os.chmod(path, 0o777)\n"


class Watcher:
    """An engine that reports a high flaw wherever a text stands."""

    name = "watcher"
    version = "1"
    languages = frozenset({"python"})
    rules: tuple[Rule, ...] = ()

    def __init__(self, text: str) -> None:
        self.text = text
        self.n_calls = 0

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return one flaw for every snippet that holds the text."""
        self.n_calls += 1
        flaw = Flaw("W1", "CWE-732", Severity.HIGH, 1.0, "watcher", 0, 1, "Seen.")
        other = Flaw("W2", "CWE-999", Severity.LOW, 1.0, "watcher", 0, 1, "Seen.")
        return [
            Scanned(Reading.WHOLE, (flaw, other) if self.text in one.code else ())
            for one in snippets
        ]


def test_several_flaws_of_several_kinds_go_in_one_go() -> None:
    """Each is fixed at its place; what stands between keeps its spelling."""
    code = (
        "import sqlite3, os\n\ndef save(db , name):   # odd   spacing\n"
        "    query = \"INSERT INTO t VALUES ('%s', %s)\" % (name, 3)\n"
        "    db.cursor().execute(query)\n    os.chmod( '/srv/t.db', 0o666 )\n"
    )
    found = sanitized(code)

    assert found.status is FixStatus.FIXED
    assert found.code == (
        "import sqlite3, os\n\ndef save(db , name):   # odd   spacing\n"
        '    query = "INSERT INTO t VALUES (?, ?)"\n'
        "    db.cursor().execute(query, (name, 3))\n    os.chmod( '/srv/t.db', 0o600 )\n"
    )


def test_edits_rebuild_the_new_code_from_the_old() -> None:
    """They count in the original's characters, are sorted, and do not overlap."""
    code = (
        "import os\nfrom flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
        "@app.route('/')\ndef page():\n    os.chmod('/srv/x', 0o777)\n"
        "    return '<p>é {}</p>'.format(request.args['q'])\n"
    )
    found = sanitized(code)

    assert found.status is FixStatus.FIXED
    assert applied(code, found.edits) == found.code
    assert list(found.edits) == sorted(found.edits, key=lambda edit: (edit.start, edit.end))


def test_a_fix_that_another_engine_objects_to_is_dropped() -> None:
    """A new finding of any engine leaves the code as it was, and the reason names it."""
    watcher = Watcher("0o700")
    found = sanitize_code(MODE, flaws_of(MODE), engines=[*engines(), watcher])

    assert found.code == MODE
    assert found.status is FixStatus.NOT_FIXABLE
    assert "no new finding: watcher" in found.reason


def test_the_other_fixes_stay_where_one_breaks_an_obligation() -> None:
    """Fixes are tried one by one; only the offending one is left out."""
    code = MODE + "\n\ndef load(text):\n    import yaml\n    return yaml.load(text)\n"
    found = sanitize_code(code, flaws_of(code), engines=[*engines(), Watcher("0o700")])

    assert found.status is FixStatus.PARTLY
    assert "safe_load" in found.code
    assert "0o777" in found.code


def test_a_whole_batch_is_scanned_at_once() -> None:
    """The number of scans does not grow with the number of snippets."""
    codes = [MODE.replace("publish", f"publish_{index}") for index in range(20)]
    watcher = Watcher("nothing of the kind")
    items = [ToSanitize(Snippet("python", code), flaws_of(code)) for code in codes]
    found = sanitize_many(items, engines=[*engines(), watcher])

    assert [one.status for one in found] == [FixStatus.FIXED] * 20
    assert watcher.n_calls == 2


def test_other_languages_say_that_there_is_no_fix_yet() -> None:
    """Their flaws are left, and counted."""
    flaw = Flaw("OT-C-001", "CWE-787", Severity.HIGH, 0.9, "ast-grep", 0, 4, "Too long.")
    item = ToSanitize(Snippet("c", "gets(line);"), (flaw,))
    found = sanitize_many([item], engines=engines())[0]

    assert (found.status, found.reason) == (FixStatus.NOT_FIXABLE, "no fixes for c yet")
    assert found.left == (flaw,)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import sqlite3\ndef f(c, table):\n    c.execute(f'SELECT a FROM {table} WHERE b = {c}')\n",
            "a table, a column or a part of the statement is no value",
        ),
        ("from flask import request\nexec(request.args['code'])\n", "code is run on purpose"),
        (
            "def f(cursor, name):\n    cursor.execute(f\"SELECT a FROM t WHERE b = '{name}'\")\n",
            "nothing says which database it is",
        ),
    ],
)
def test_a_flaw_without_a_sure_fix_is_left_with_the_reason(code: str, reason: str) -> None:
    """Nothing is guessed, and nothing is changed."""
    found = sanitized(code)

    assert found.status is FixStatus.NOT_FIXABLE
    assert reason in found.reason
    assert found.code == code


def _flask(body: str) -> str:
    return (
        "from flask import Flask, render_template_string, request\n\napp = Flask(__name__)\n\n\n"
        f"@app.route('/')\ndef page():\n{body}"
    )


def test_html_that_the_snippet_builds_is_escaped_at_its_own_values() -> None:
    """Tags of the page's author stay tags; only what comes from outside is escaped."""
    found = sanitized(
        _flask(
            "    rows = ''.join(f'<li>{row}</li>' for row in request.args.getlist('row'))\n"
            "    head = '<h1>List</h1>'\n"
            "    return f'{head}<ul>{rows}</ul>'\n"
        )
    )

    assert found.status is FixStatus.FIXED
    assert "f'<li>{escape(row)}</li>'" in found.code
    assert "f'{head}<ul>{rows}</ul>'" in found.code


def test_a_page_that_is_read_from_elsewhere_is_not_turned_into_text() -> None:
    """Escaping it would show its tags to the visitor."""
    code = _flask("    html = request.files['page'].read()\n    return '<hr>' + html\n")
    assert "html.escape" not in sanitized(code).code
    assert "escape(html)" not in sanitized(code).code


def test_text_that_grows_in_steps_is_followed() -> None:
    """Every step loses its values, and the call gets them all."""
    found = sanitized(
        _flask(
            "    name, city = request.args['name'], request.args['city']\n"
            "    page = f'<p>{name}</p>'\n"
            "    page += f'<p>{city}: {{x}}</p>'\n"
            "    return render_template_string(page)\n"
        )
    )

    assert found.status is FixStatus.FIXED
    assert "page += '<p>{{ city }}: {x}</p>'" in found.code
    assert "render_template_string(page, name=name, city=city)" in found.code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "c.execute(f\"SELECT a FROM t WHERE b LIKE '%{name}%' LIMIT {n}\")",
            'c.execute("SELECT a FROM t WHERE b LIKE ? LIMIT ?", (f"%{name}%", int(n)))',
        ),
        (
            "c.execute('SELECT a FROM t WHERE b = \"' + name + '\" AND d = ' + str(n))",
            "c.execute('SELECT a FROM t WHERE b = ? AND d = ?', (name, n))",
        ),
        (
            "c.execute(\"INSERT INTO t VALUES ('{a}', {b})\".format(a=name, b=n))",
            'c.execute("INSERT INTO t VALUES (?, ?)", (name, n))',
        ),
        (
            "c.execute(\"SELECT 100%% FROM t WHERE b='%(who)s'\" % {'who': name})",
            'c.execute("SELECT 100% FROM t WHERE b=?", (name,))',
        ),
    ],
)
def test_every_way_to_put_sql_together_becomes_placeholders(before: str, after: str) -> None:
    """Quotes of the statement and wildcards go where the value goes."""
    found = sanitized(f"import sqlite3\n\n\ndef find(c, name, n):\n    {before}\n")

    assert found.code == f"import sqlite3\n\n\ndef find(c, name, n):\n    {after}\n"


def test_a_name_that_is_taken_is_imported_under_another() -> None:
    """An import may not shadow what the snippet calls by that name."""
    found = sanitized(_flask("    escape = request.args['e']\n    return f'<b>{escape}</b>'\n"))

    assert "import escape as escape_" in found.code
    assert "{escape_(escape)}" in found.code


def test_an_import_that_does_not_reach_the_flaw_is_not_written() -> None:
    """In a fragment the first lines may be the inside of another function."""
    code = (
        "        return total\n\n    def show(self, user):\n        import os\n"
        "        os.system('ping ' + user)\n"
    )
    assert "import subprocess" not in sanitized(code).code


def test_a_snippet_with_hundreds_of_flaws_is_left_alone() -> None:
    """Nobody writes that, and working on it would stall a run."""
    code = "import os\n" + "os.chmod('a', 0o777)\n" * 101
    found = sanitized(code)

    assert (found.code, found.status) == (code, FixStatus.NOT_FIXABLE)
    assert found.reason == "202 flaws are too many for one snippet"


def test_code_without_flaws_is_returned_as_it_is() -> None:
    """There is nothing to fix, and no obligation to keep."""
    found = sanitize_code("x = 1\n", (), engines=engines())

    assert (found.code, found.edits) == ("x = 1\n", ())


@pytest.mark.parametrize("code", ["(" * 10_000 + ")" * 10_000, "def f(:\n  ]", "\0", "x = '" * 900])
def test_hostile_code_is_left_alone(code: str) -> None:
    """What cannot be read is not changed."""
    flaw = Flaw("OT-PY-022", "CWE-732", Severity.HIGH, 0.9, "offtarget", 0, 1, "Open to all.")
    found = sanitize_code(code, (flaw,), engines=engines())

    assert found.code == code
