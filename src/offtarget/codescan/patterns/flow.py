"""Where a value comes from: definitions and uses by name, inside one snippet, in any language."""

import re
from collections.abc import Iterator
from functools import cached_property

from offtarget.codescan.patterns.source import NAME, Assign, Source, Stretch

MAX_DEPTH = 6
"""Assignments followed back from a use; longer chains are rare in one function."""
MAX_STEPS = 400
"""Values looked at for one question; generated code cannot stall a scan."""
MAX_VALUE = 20_000
"""Characters of one value that are looked at."""
_PATH = re.compile(r"[$@]?[A-Za-z_]\w*(?:\s*(?:\.|->|::)\s*[A-Za-z_]\w*)*")
_ARROW = re.compile(r"\s*(?:->|::|\.)\s*")
_CONSTANT = re.compile(
    r"[A-Z][A-Z0-9_]*|true|false|null|nil|None|nullptr|undefined|sizeof|const|"
    r"__dirname|__filename|__DIR__|__FILE__|new"
)
_MODULE = re.compile(r"(?:dirname|path|filepath|fmt|std|string|String|resolve)\s*(?:\.|::|\()")
"""Names that are no data where a dot or bracket follows."""
_LOOKUP = re.compile(r"([A-Za-z_$][\w$.]*)\[([^\[\]]+)\]")
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*!?\s*\(")
_QUOTE = re.compile(r"[\"'`]")
_WRITES = {
    "sprintf": 0, "snprintf": 0, "vsnprintf": 0, "strcat": 0, "strncat": 0, "strcpy": 0,
    "strncpy": 0, "strlcpy": 0, "strlcat": 0, "fgets": 0, "gets": 0, "recv": 1, "recvfrom": 1,
    "read": 1, "fread": 0, "scanf": 1, "sscanf": 2, "fscanf": 2, "getline": 0, "asprintf": 0,
    "memcpy": 0, "swprintf": 0,
}  # fmt: skip
"""C calls that write to an argument, and which."""
_READS = frozenset(
    {"fgets", "gets", "recv", "recvfrom", "read", "fread", "scanf", "sscanf", "fscanf", "getline"}
)
"""Those whose name, not whose other arguments, says where the data comes from."""
_STREAMED = re.compile(r"(?<=[;{}])\s*([A-Za-z_]\w*)\s*<<[^;{}]{1,400};")
"""C++ text that grows by `stream << part`."""
_FILLS = re.compile(
    r"(?:^|\.)(?:(?:Should|Must)?Bind(?:JSON|Query|Uri|XML|Body)?|BodyParser|Decode|Unmarshal|binary\.Read)$"
)
"""Go calls that store what they read into their last argument, `&x`."""
_APPENDS = re.compile(r"^(.+)\.(?:append|push|concat|insert|WriteString|push_str|add|Append\w*)$")
_CLEANERS = re.compile(
    r"(?i)\b(?:parse(?:Int|Float|Long|Double|Uint|Bool)?|Number|Integer\.\w+|Long\.\w+|intval|"
    r"floatval|Atoi|atoi|strto\w+|to_i|to_f|int\.(?:Try)?Parse|Guid\.(?:Try)?Parse|basename|"
    r"realpath|GetFileName|filepath\.Base|path\.Base|html\.EscapeString|EscapeString|"
    r"htmlspecialchars|htmlentities|strip_tags|escape\w*|encode\w*|quote\w*|sanitize\w*|"
    r"\w*[Ee]scape\w*|\w*[Ss]anitiz\w*|HtmlEncode|urlencode|UrlEncode|PathEscape|QueryEscape|"
    r"password_hash|md5|sha1|sha256|hash|bcrypt\w*|crypt|shellescape|escapeshellarg|"
    r"escapeshellcmd|real_escape_string|quote|allow\w*|whitelist\w*|valid\w*|UUID\.fromString|"
    r"URLEncoder|ESAPI|encodeFor\w+|forHtml\w*|Encode)\s*\("
)


class Flow:
    """Answers about values of one source; remembers what it found."""

    def __init__(self, source: Source) -> None:
        """Read no part of `source` yet."""
        self._source = source
        self._built = re.compile(rf"(?:^|\W)(?:{source.grammar.formatters})\s*!?\s*\(")
        self._joins = re.compile(source.grammar.formatters.replace("!", ""))
        self._concat = re.compile(source.grammar.concat)

    @cached_property
    def _by_name(self) -> dict[str, list[Assign]]:
        table: dict[str, list[Assign]] = {}
        for assign in sorted((*self._source.assigns, *self._writes()), key=lambda a: a.at):
            for name in assign.names:
                table.setdefault(name, []).append(assign)
        return table

    def _writes(self) -> Iterator[Assign]:
        """Calls that store into an argument or grow their receiver count as assignments."""
        if self._source.language == "cpp" and "<<" in self._source.masked:
            for match in _STREAMED.finditer(self._source.masked):
                value = Stretch(match.end(1), match.end())
                yield Assign(
                    Stretch(match.start(1), match.end()), match[1], frozenset({match[1]}), value,
                    is_partial=True,
                )  # fmt: skip
        for call in self._source.calls:
            tail = call.callee.rsplit(".", 1)[-1]
            where = _WRITES.get(tail) if self._source.language in ("c", "cpp") else None
            if where is not None and where < len(call.arguments):
                for part in call.arguments[where:] if "scanf" in tail else [call.arguments[where]]:
                    target = self._bare(part).strip().lstrip("&*(")
                    target = _ARROW.sub(".", target)
                    names = frozenset({target, *NAME.findall(target)[:1]})
                    value = call.at if tail in _READS else Stretch(part.end, call.at.end)
                    yield Assign(call.at, target, names, value, is_partial=True)
            elif call.callee == "fmt.Fprintf" and len(call.arguments) > 1:
                grown_name = self._bare(call.arguments[0]).strip().lstrip("&")
                value = Stretch(call.arguments[1].start, call.at.end)
                yield Assign(call.at, grown_name, frozenset({grown_name}), value, is_partial=True)
            elif self._source.language == "go" and call.arguments and _FILLS.search(call.callee):
                last = self._bare(call.arguments[-1]).strip()
                if re.fullmatch(r"&[\w.]+", last):
                    yield Assign(call.at, last[1:], frozenset({last[1:]}), call.at, is_partial=True)
            elif (grown := _APPENDS.match(call.callee)) and call.arguments:
                name = grown[1].split("(")[0].rsplit(".append", 1)[0]
                value = Stretch(call.arguments[0].start, call.at.end)
                yield Assign(call.at, name, frozenset({name}), value, is_partial=True)

    def _bare(self, part: Stretch) -> str:
        """Return the start of the code of `part`, strings blanked."""
        end = min(part.end, part.start + MAX_VALUE)
        self._source.spend(1 + (end - part.start) // 50)
        return self._source.masked[part.start : end]

    def _values(self, part: Stretch) -> str:
        """Return the code of `part` without the keys of lookups: `table[key]` is a table's value."""
        bare = self._bare(part)
        return _LOOKUP.sub(_without_key, bare) if "[" in bare else bare

    def definitions(self, name: str, at: int) -> list[Assign]:
        """Return the assignments to `name` that may still hold at the offset `at`."""
        source = self._source
        scope = source.scope_of(at)
        found: list[Assign] = []
        for assign in self._by_name.get(name, ()):
            source.spend(1)
            if assign.at.start >= at:
                break
            if assign.at.holds(at):  # `x = x + 1` reads what stood there before
                continue
            home = source.function_of(assign.at.start)
            if home is not None and not home.at.holds(at):
                continue
            if not scope.holds(assign.at.start) and home is not None:
                continue
            if not assign.keeps(name) and self._covers(assign, at):
                found.clear()
            found.append(assign)
        return found

    def _covers(self, assign: Assign, at: int) -> bool:
        """Return whether control that reaches `at` went through `assign`, by its block."""
        if not self._source.grammar.has_braces:
            return False
        start = assign.at.start
        before = self._source.masked[max(0, start - 12) : start].rstrip()
        if before.endswith((")", "else")):  # the body of an if without braces
            return False
        return self._source.block_of(start).holds(at)

    def names(self, part: Stretch) -> list[str]:
        """Return names and dotted paths in `part`, longest first for each path."""
        return self._names(self._bare(part))

    def _names(self, bare: str) -> list[str]:
        found: dict[str, None] = {}
        for match in _PATH.finditer(bare):
            path = _ARROW.sub(".", match[0])
            while True:
                found[path] = None
                if "." not in path:
                    break
                path = path.rsplit(".", 1)[0]
        return list(found)

    def reaches(self, part: Stretch, pattern: re.Pattern[str], *, cleaned: bool = True) -> bool:
        """Return whether `part` holds, or is computed from, code that `pattern` matches.

        With `cleaned`, values that passed a conversion or an escaping call do not count.
        """
        return self._reaches(part, pattern, cleaned, MAX_DEPTH, set())

    def _reaches(
        self, part: Stretch, pattern: re.Pattern[str], cleaned: bool, depth: int,
        seen: set[Stretch],
    ) -> bool:  # fmt: skip
        if part in seen or len(seen) > MAX_STEPS:
            return False
        seen.add(part)
        bare = self._values(part)
        if cleaned and _CLEANERS.search(bare):
            return False
        if pattern.search(bare):
            return True
        if depth == 0:
            return False
        for name in self._names(bare):
            for assign in self.definitions(name, part.start):
                if self._reaches(assign.value, pattern, cleaned, depth - 1, seen):
                    return True
            if self._declared(name, part.start, pattern):
                return True
        return False

    def _declared(self, name: str, at: int, pattern: re.Pattern[str]) -> bool:
        """Return whether `name` is a parameter whose declaration `pattern` matches."""
        if "." in name:
            return False
        for function in self._source.functions:
            if function.at.holds(at) and name in function.parameters:
                for piece in self._source.bare(function.head).split(","):
                    if re.search(rf"\b{re.escape(name)}\b", piece) and pattern.search(piece):
                        return True
        return False

    def is_parameter(self, part: Stretch) -> bool:
        """Return whether `part` is computed from a parameter of an enclosing function."""
        return self._from_parameter(part, MAX_DEPTH, set())

    def _from_parameter(self, part: Stretch, depth: int, seen: set[Stretch]) -> bool:
        if part in seen or depth == 0 or len(seen) > MAX_STEPS:
            return False
        seen.add(part)
        bare = self._values(part)
        if _CLEANERS.search(bare):
            return False
        for name in self._names(bare):
            known = self.definitions(name, part.start)
            if not known and any(
                name in function.parameters
                for function in self._source.functions
                if function.at.holds(part.start)
            ):
                return True
            if any(self._from_parameter(one.value, depth - 1, seen) for one in known):
                return True
        return False

    def is_constant(self, part: Stretch) -> bool:
        """Return whether `part` is made of literals, named constants and names set to those."""
        return self._is_constant(part, MAX_DEPTH, set())

    def _is_constant(self, part: Stretch, depth: int, seen: set[Stretch]) -> bool:
        if part in seen:
            return True
        if depth == 0 or len(seen) > MAX_STEPS:
            return False
        seen.add(part)
        bare = self._values(part)
        called = {match[1] for match in _CALLED.finditer(bare)}
        for match in NAME.finditer(bare):
            name = match[0]
            if _CONSTANT.fullmatch(name) or (name in called and self._joins.fullmatch(name)):
                continue
            if _MODULE.match(bare, match.start()):
                continue
            known = self.definitions(name, part.start)
            if not known or any(one.is_loop for one in known):
                return False
            if not all(self._is_constant(one.value, depth - 1, seen) for one in known):
                return False
        return True

    def is_built(self, part: Stretch) -> bool:
        """Return whether `part` is a string put together from text and something not constant."""
        return self._is_built(part, MAX_DEPTH, set())

    def _is_built(self, part: Stretch, depth: int, seen: set[Stretch]) -> bool:
        if part in seen or depth == 0 or len(seen) > MAX_STEPS:
            return False
        seen.add(part)
        bare = self._bare(part)
        names = NAME.findall(bare)
        if not names:
            return False
        has_text = _QUOTE.search(bare) is not None
        is_joined = has_text and (self._concat.search(bare) is not None or self._interpolates(bare))
        if (is_joined or self._built.search(bare)) and not self.is_constant(part):
            return True
        for name in self.names(part):
            for assign in self.definitions(name, part.start):
                if assign.is_partial and not self.is_constant(assign.value):
                    return True
                if self._is_built(assign.value, depth - 1, seen):
                    return True
        return False

    def _interpolates(self, bare: str) -> bool:
        return bool(re.search(r"[\"`][^\"`]*(?:#\{|\$\{|\{\$|\$\w|\{[A-Za-z_(])", bare))


def _without_key(match: re.Match[str]) -> str:
    return f"{match[1]}[{' ' * len(match[2])}]"
