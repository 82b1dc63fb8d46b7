"""Which language a piece of code is in, from its fence tag or from what stands in it."""

import ast
import math
import re
import warnings
from collections.abc import Mapping
from itertools import islice

from offtarget.codescan.clues import MAX_COUNT, Clues
from offtarget.codescan.evidence import CPP_MARKS, EVIDENCE
from offtarget.codescan.language import Language

MAX_CHARACTERS = 20_000
"""How much of the code is looked at."""

_ENOUGH = 2.0
"""Score below which no language is convincing: two lines of ordinary evidence."""

_PLENTY = 4.0
"""Score at which code is Python without a look at the other languages; so it is from `_ENOUGH` on
if it parses, which costs a tenth of that look."""
_MARKED = 1.0
"""Weight of marks from which C is taken for C++."""

_ALIASES: Mapping[Language, str] = {
    Language.PYTHON: "python py python2 python3 py2 py3 pyw pyi pyx ipython ipython3 pycon gyp wsgi",
    Language.C: "c ansi-c c99 c11 h",
    Language.CPP: "cpp c++ cxx cc hpp hxx hh h++ ino cplusplus",
    Language.CSHARP: "csharp c# cs dotnet csx",
    Language.GO: "go golang",
    Language.JAVA: "java jsp",
    Language.JAVASCRIPT: "javascript js jsx node nodejs mjs cjs ecmascript es6",
    Language.TYPESCRIPT: "typescript ts tsx mts cts",
    Language.PHP: "php php3 php4 php5 php7 php8 phtml",
    Language.RUBY: "ruby rb erb rake gemspec",
    Language.RUST: "rust rs",
    Language.SHELL: "shell sh bash zsh ksh dash console shell-session shellscript",
    Language.SQL: "sql mysql postgres postgresql sqlite plsql tsql pgsql",
    Language.HTML: "html htm xhtml html5 vue svelte",
    Language.OTHER: "diff patch json yaml yml toml ini xml csv css scss less text txt plaintext"
    " plain markdown md log output powershell ps1 perl pl kotlin kt swift scala lua r matlab julia"
    " haskell hs dockerfile docker makefile cmake nginx graphql proto latex tex vb vbnet dart"
    " elixir erlang clojure lisp assembly asm nasm solidity groovy objective-c objectivec cobol"
    " fortran pascal zig nim ocaml fsharp none",
}
_BY_ALIAS = {alias: language for language, text in _ALIASES.items() for alias in text.split()}


def language_of(hint: str) -> Language | None:
    """Return the language that a fence tag or a file name names; None where it names none.

    Languages that no engine reads are `OTHER`, as are data formats and diffs.
    """
    words = re.split(r"[\s{,;]+", hint.strip().lower().lstrip("{."), maxsplit=1)
    word = words[0].strip("{}.:\"'`")
    word = word.rsplit("/", 1)[-1].removeprefix("language-").removeprefix("lang-")
    return _BY_ALIAS.get(word) or _BY_ALIAS.get(word.rsplit(".", 1)[-1])


def detect_language(code: str, *, hint: str = "") -> Language:
    """Return the language of a piece of code.

    Args:
        code: The code; its first `MAX_CHARACTERS` are looked at.
        hint: A fence tag (`py`, `c++`, `{.python .numberLines}`) or a file name. One that names
            a language is believed; any other is ignored.
    """
    named = language_of(hint) if hint else None
    if named is not None:
        return named
    text = "\n" + code[:MAX_CHARACTERS]
    weight = _weight(text, EVIDENCE[Language.PYTHON], enough=_PLENTY)
    if weight >= _PLENTY or (weight >= _ENOUGH and _does_something_in_python(text)):
        return Language.PYTHON
    scores = {language: _weight(text, clues) for language, clues in EVIDENCE.items()}
    best = max(scores, key=scores.__getitem__)
    if scores[best] < _ENOUGH:
        return Language.PYTHON if _does_something_in_python(text) else Language.OTHER
    if best is Language.C and _weight(text, CPP_MARKS) >= _MARKED:
        return Language.CPP
    return best


def _does_something_in_python(text: str) -> bool:
    """Return whether the text parses and calls, assigns or imports; words and numbers do not."""
    if text.rstrip().endswith(";"):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    acts = ast.Call | ast.Assign | ast.AugAssign | ast.Import | ast.ImportFrom | ast.FunctionDef
    return any(isinstance(node, acts) for node in ast.walk(tree))


def _weight(text: str, clues: Clues, *, enough: float = math.inf) -> float:
    """Return the weight of the clues; those after `enough` is reached are not looked for."""
    total = 0.0
    for weight, pattern in clues:
        for _ in islice(pattern.finditer(text), MAX_COUNT):
            total += weight
        if total >= enough:
            break
    return total
