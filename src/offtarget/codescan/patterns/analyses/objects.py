"""JavaScript objects that are filled by keys somebody else chose, and messages from anybody."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.guards import is_guarded
from offtarget.codescan.patterns.source import Source, Stretch

_STORE = re.compile(
    r"([A-Za-z_$][\w$.]*)\s*\[\s*([A-Za-z_$][\w$]*)\s*(?:\[[^\[\]\n]{1,60}\]\s*)?\]\s*=(?![=>])"
)
_GUARD = re.compile(
    r"(?i)__proto__|hasOwn|Object\.create\(\s*null|new\s+Map|isSafe|isUnsafe|prototype|"
    r"isPrototypePolluted|forbidden|blacklist|denied|unsafe|danger|polluted|reserved|['\"]constructor['\"]"
)
_COMPARED = re.compile(r"(?<![\w$.])([A-Za-z_$][\w$.]{0,80})\s*[!=]==?\s*([^\s;,)]{1,80})")
_ORIGIN = re.compile(r"\borigin\b|\.source\b")
_SECRET = re.compile(
    r"(?i)(?:token|password|passwd|secret|hash|digest|signature|hmac|api_?key)\w*$"
)
_FIXED = re.compile(r"""['"`]|null\b|undefined\b|true\b|false\b|[\d-]|typeof\b|\w*[lL]ength\b""")


@analysis("prototype_reached")
def prototype_reached(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A recursive copy or a path setter stores under any key, `__proto__` included."""
    for match in _STORE.finditer(source.masked):
        function = source.function_of(match.start())
        scope = source.scope_of(match.start())
        if function is None or source.searched(_GUARD, scope):
            continue
        bare = source.bare(scope)
        source.spend(len(bare) // 10)
        key = Stretch(*match.span(2))
        if is_guarded(source, flow, key, match.start(), is_strict=True):
            continue
        if _walks(bare, match[1], match[2]) or _recurses(source, scope, match[2], bare):
            yield Stretch(match.start(), match.end())


def _walks(bare: str, owner: str, key: str) -> bool:
    """Return whether the owner is moved down by a key of a loop: `o = o[k]`."""
    moves = re.search(rf"\b{re.escape(owner)}\s*=\s*(?:\(\s*)?{re.escape(owner)}\s*\[", bare)
    return moves is not None and re.search(r"\bfor\b|\bwhile\b|reduce|forEach", bare) is not None


def _recurses(source: Source, scope: Stretch, key: str, bare: str) -> bool:
    names = [
        one.name for one in source.functions if scope.start <= one.at.start < scope.end and one.name
    ]
    names += [
        assign.target.rsplit(".", 1)[-1]
        for assign in source.assigns
        if assign.value.start <= scope.start < assign.value.end
    ]
    loops = re.search(
        rf"\bfor\s*\(\s*(?:const|let|var)?\s*{re.escape(key)}\s+(?:in|of)\b|(?:forEach|map)\s*\(\s*"
        rf"(?:function\s*)?\w*\s*\(?\s*{re.escape(key)}\b|\b{re.escape(key)}\s*=\s*\w*[kK]eys\w*\s*\[",
        bare,
    )
    if loops is None:
        return False
    return any(
        len(re.findall(rf"(?<![\w$]){re.escape(name)}\s*\(", bare)) >= 1
        and any(
            call.callee.rsplit(".", 1)[-1] == name and scope.holds(call.at.start)
            for call in source.calls
        )
        for name in names
        if name
    )


@analysis("message_unchecked")
def message_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A listener takes messages from any window: it does not look at their origin."""
    for call in source.calls:
        if not call.callee.endswith("addEventListener") or len(call.arguments) < 2:
            continue
        if source.text(call.arguments[0]).strip("\"'`") != "message":
            continue
        handler = source.text(call.arguments[1])
        if re.fullmatch(r"[\w$.]+", handler):
            handler = source.code
        is_own = re.search(r"(?i)worker|port|self|process|socket", call.callee)
        if not is_own and not _ORIGIN.search(handler) and len(handler) > 20:
            yield call.at
    for assign in source.assigns:
        if re.fullmatch(r"(?:window\.|self\.|globalThis\.)?onmessage", assign.target):
            handler = source.text(assign.value)
            if not _ORIGIN.search(handler) and re.search(r"=>|\bfunction\b", handler):
                is_page = assign.target.startswith("window.") or "window" in source.masked
                if is_page and len(handler) > 20:
                    yield assign.at


@analysis("secret_compared")
def secret_compared(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A secret is compared with `==`, which stops at the first difference."""
    for match in _COMPARED.finditer(source.masked):
        left, right = match[1].rsplit(".", 1)[-1], match[2]
        if _SECRET.search(left) and not _FIXED.match(right):
            yield Stretch(match.start(1), match.end(2))
