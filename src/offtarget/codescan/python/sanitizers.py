"""Calls that make data harmless, and for which sinks."""

import re
from functools import lru_cache
from typing import Final

from offtarget.codescan.python.values import (
    CLEAN_TEXT,
    ESCAPED_HOLE,
    Safe,
    Value,
    is_fixed,
    merge_taints,
    with_safe,
)
from offtarget.codescan.python.walk import Call

_NAMED: Final = {
    "shlex.quote": Safe.SHELL,
    "shlex.join": Safe.SHELL,
    "subprocess.list2cmdline": Safe.SHELL,
    "html.escape": Safe.HTML | Safe.XPATH,
    "markupsafe.escape": Safe.HTML,
    "markupsafe.escape_silent": Safe.HTML,
    "markupsafe.Markup.escape": Safe.HTML,
    "bleach.clean": Safe.HTML,
    "bleach.linkify": Safe.HTML,
    "bleach.Cleaner().clean": Safe.HTML,
    "nh3.clean": Safe.HTML,
    "lxml.html.clean.clean_html": Safe.HTML,
    "django.utils.html.strip_tags": Safe.HTML,
    "django.utils.html.format_html": Safe.HTML,
    "django.utils.html.escapejs": Safe.HTML,
    "tornado.escape.xhtml_escape": Safe.HTML,
    "flask.jsonify": Safe.HTML,
    "flask.json.dumps": Safe.HTML,
    "urllib.parse.quote": Safe.HTML | Safe.PATH | Safe.HEADER | Safe.URL,
    "urllib.parse.quote_plus": Safe.HTML | Safe.PATH | Safe.HEADER | Safe.URL,
    "urllib.parse.urlencode": Safe.HTML | Safe.HEADER | Safe.URL,
    "os.path.basename": Safe.PATH,
    "werkzeug.utils.secure_filename": Safe.PATH,
    "werkzeug.utils.safe_join": Safe.PATH,
    "django.utils._os.safe_join": Safe.PATH,
    "django.utils.text.get_valid_filename": Safe.PATH,
    "django.utils.text.slugify": Safe.ALL,
    "flask.url_for": Safe.URL | Safe.HEADER | Safe.HTML,
    "django.urls.reverse": Safe.URL | Safe.HEADER,
    "ldap.filter.escape_filter_chars": Safe.LDAP,
    "ldap.dn.escape_dn_chars": Safe.LDAP,
    "ldap3.utils.conv.escape_filter_chars": Safe.LDAP,
    "ldap.filter.filter_format": Safe.LDAP,
    "ldap3.utils.dn.escape_rdn": Safe.LDAP,
    "ldap3.utils.dn.safe_rdn": Safe.LDAP,
    "re.escape": Safe.REGEX,
    "psycopg2.sql.Identifier": Safe.SQL,
    "psycopg2.sql.Literal": Safe.SQL,
    "psycopg2.extensions.quote_ident": Safe.SQL,
    "psycopg2.extensions.adapt": Safe.SQL,
    "repr": Safe.LOG | Safe.HEADER,
    "json.dumps": Safe.CODE,
    "flask.render_template": Safe.HTML,
    "django.shortcuts.render": Safe.HTML,
    "generate_csrf": Safe.ALL,
    "hashlib.md5": Safe.ALL,
    "hashlib.sha1": Safe.ALL,
    "hashlib.sha256": Safe.ALL,
    "hashlib.sha512": Safe.ALL,
    "werkzeug.security.generate_password_hash": Safe.ALL,
}

_ESCAPING: Final = re.compile(
    r"escape|sanitiz|sanitis|(?:^|_)clean(?:_|$)|encode_for_html|htmlentit|quote_ident|"
    r"(?:^|_)quote(?:_|$)|slugify|secure_filename|strip_tags|whitelist|"
    r"(?:^|_)(?:get|to|make|as|ensure)_safe(?:_|$)|(?:^|_)safe_(?:value|param|path|file|filename|name|"
    r"url|html|text|id|key|input|query|redirect)"
)
_NEGATED: Final = re.compile(r"\[\^((?:[^\]\\]|\\.)+)\][+*]?")
_DANGEROUS: Final = re.compile(r"[\"'`<>&;|$()*={}\x00-\x1f\x7f]|\\[sSDWnrtx]")
_UNESCAPING: Final = re.compile(r"unescape|unquote|noescape|unsanitiz|without_escap")
_ABOUT: Final = (
    (re.compile(r"shell|cmd|command"), Safe.SHELL),
    (re.compile(r"sql|query|ident|escape_string"), Safe.SQL),
    (re.compile(r"ldap|filter|dn_"), Safe.LDAP),
    (re.compile(r"xpath"), Safe.XPATH),
    (re.compile(r"regex|re_"), Safe.REGEX),
    (re.compile(r"path|file"), Safe.PATH),
    (re.compile(r"html|xml|markup|xss|tags"), Safe.HTML),
)
"""What a function of unknown origin escapes for, judged by its name."""


def sanitized(call: Call) -> Value | None:
    """Return the cleaned value if the call is known, or named, to clean its first argument."""
    safe = _NAMED.get(call.name) or _by_name(call.attr or call.name)
    if not safe:
        return None
    values = [*call.args, *call.keywords.values()]
    if not values:
        return with_safe(call.receiver, safe) if call.receiver.taints else None
    if all(map(is_fixed, values)):
        return CLEAN_TEXT
    whole = with_safe(values[0], safe)
    for value in values[1:]:
        more = with_safe(value, safe)
        whole = Value(taints=merge_taints(whole.taints, more.taints), shape=ESCAPED_HOLE)
    return whole


def replaced_by_pattern(call: Call) -> Value | None:
    """Return what `re.sub` leaves where it takes out every character that is not listed."""
    values = [*call.args, *call.keywords.values()]
    pattern = values[0].shape if call.name == "re.sub" and values else call.receiver.ref
    if call.name == "re.sub":
        values = values[1:]
    if not isinstance(pattern, str) or len(values) < 2:
        return None
    kept = _NEGATED.fullmatch(pattern)
    if kept is None or not isinstance(values[0].const, str):
        return None
    listed = kept[1]
    if _DANGEROUS.search(listed) or _DANGEROUS.search(values[0].const):
        return None
    safe = Safe.ALL
    if "/" in listed or "/" in values[0].const:
        safe &= ~(Safe.PATH | Safe.URL)
    return CLEAN_TEXT if is_fixed(values[1]) else with_safe(values[1], safe)


@lru_cache(maxsize=4096)
def _by_name(name: str) -> int:
    word = name.rpartition(".")[2].lower()
    if not _ESCAPING.search(word) or _UNESCAPING.search(word):
        return 0
    return next((kind for about, kind in _ABOUT if about.search(word)), Safe.ALL)
