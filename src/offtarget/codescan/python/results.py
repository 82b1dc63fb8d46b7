"""What functions and methods of the language and its libraries return."""

from collections.abc import Callable
from typing import Final

from offtarget.codescan.python.contents import change, element, part
from offtarget.codescan.python.formats import format_braces, format_dollar, join_texts
from offtarget.codescan.python.sanitizers import sanitized
from offtarget.codescan.python.sources import (
    CALLS,
    REMOTE_METHODS,
    REQUEST_KINDS,
    REQUEST_METHODS,
    SELF_METHODS,
    STORED_METHODS,
)
from offtarget.codescan.python.values import (
    CLEAN,
    ESCAPED_HOLE,
    UNKNOWN,
    Level,
    Safe,
    Taint,
    Value,
    all_taints,
    constant,
    hole,
    is_fixed,
    merge_taints,
)
from offtarget.codescan.python.walk import Call, Walk, source
from offtarget.codescan.python.words import words

_NUMBERS: Final = words(
    """
    int float bool len ord hash round abs isinstance issubclass callable id hasattr complex
    uuid.UUID uuid.uuid4 uuid.uuid1 decimal.Decimal time.time datetime.datetime.now
    os.getpid datetime.datetime.utcnow datetime.date.today datetime.datetime.strptime
    time.strftime os.path.getsize os.urandom secrets.token_hex secrets.token_urlsafe
    secrets.randbelow range math.floor math.ceil os.path.exists os.path.isfile os.path.isdir
    datetime.timedelta os.getcwd tempfile.mkdtemp tempfile.gettempdir ipaddress.ip_address
    random.random random.randint ipaddress.ip_network time.monotonic os.cpu_count
    """
)
_HARMLESS: Final = words(
    """
    startswith endswith isdigit isalnum isalpha isidentifier isnumeric isdecimal islower
    isupper isspace find rfind index rindex count hexdigest digest bit_length total_seconds
    timestamp is_file is_dir is_absolute fileno tell getsize strftime isoformat
    """
)
_SAME_TEXT: Final = words(
    """
    strip lstrip rstrip lower upper title capitalize swapcase casefold encode decode
    expandtabs removeprefix removesuffix zfill ljust rjust center translate splitlines split
    rsplit partition rpartition copy read readline readlines values items keys format_map
    toString getvalue expanduser absolute resolve as_posix with_suffix group groups dict
    """
)
_PASSED_ON: Final = words(
    """
    str repr bytes bytearray list tuple set sorted reversed dict frozenset iter next
    enumerate zip map filter json.loads json.load urllib.parse.unquote
    urllib.parse.unquote_plus vars urllib.parse.urlparse urllib.parse.urlsplit
    urllib.parse.urljoin base64.b64decode typing.cast base64.b64encode os.path.join
    os.path.normpath os.path.abspath os.path.realpath io.StringIO io.BytesIO
    os.path.expanduser os.path.expandvars os.fspath pathlib.Path copy.copy cast
    copy.deepcopy markupsafe.Markup textwrap.dedent binascii.unhexlify min max
    string.Template os.path.dirname sqlalchemy.text str.format ast.parse os.path.splitext
    six.text_type six.ensure_str unicode django.utils.encoding.force_str getattr
    """
)
_SECTIONED: Final = frozenset({"configparser.ConfigParser()", "configparser.RawConfigParser()"})
_CASES: Final[dict[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
    "title": str.title,
}
_COPIED: Final = frozenset({"str", "repr", "textwrap.dedent", "unicode", "six.text_type"})
_RESOLVING: Final = frozenset({"os.path.realpath", "os.path.abspath", "os.path.normpath"})


def made(call: Call) -> str | None:
    """Return the kind of what a call makes."""
    return f"{call.name}()" if call.name and len(call.name) < 90 else None


def function_result(call: Call) -> Value | None:
    """Return the result of a function known by its dotted name; None for others."""
    name, args = call.name, call.args
    if name in _NUMBERS:
        return CLEAN
    cleaned = sanitized(call)
    if cleaned is not None:
        return cleaned
    if name in CALLS:
        level, text = CALLS[name]
        key = args[0].const if args and isinstance(args[0].const, str) else call.node.lineno
        found = source(call.node, level, f"{name}.{key}", text)
        found.kind = f"{name}()"
        return found
    if name in ("re.compile", "string.Template", "jinja2.Template") and args:
        return Value(kind=f"{name}()", ref=args[0].shape, taints=args[0].taints)
    if name == "os.path.join" or name == "pathlib.Path":
        return _joined_path(call)
    if name == "dict":
        return Value(kind="dict()", items=dict(call.keywords), taints=taints_of(args))
    if name == "list" and not args:
        return Value(items={})
    if name in _PASSED_ON and args:
        if name in _COPIED and not args[0].items:
            value = args[0]
            fixed = value.clean or value.is_const
            return Value(shape=hole(value), taints=value.taints, clean=fixed and not value.taints)
        kind = "resolved" if name in _RESOLVING else f"{name}()"
        if len(args) == 1 and args[0].items is not None and name in ("list", "tuple", "sorted"):
            return args[0]
        fixed = all(map(is_fixed, args))
        return Value(kind=kind, taints=taints_of(args), clean=fixed)
    return None


def _joined_path(call: Call) -> Value:
    shape = "/".join(map(hole, call.args))
    kind = "pathlib.Path()" if call.name == "pathlib.Path" else "os.path.join()"
    return Value(kind=kind, shape=shape, taints=taints_of(call.args))


def taints_of(values: list[Value]) -> tuple[Taint, ...]:
    """Return the taints of several values and of all they hold."""
    taints: tuple[Taint, ...] = ()
    for value in values:
        if value.taints or value.items:
            taints = merge_taints(taints, all_taints(value))
    return taints


def method_result(walk: Walk, call: Call) -> Value | None:
    """Return the result of a method known by its name; None for others."""
    attr, receiver, args = call.attr, call.receiver, call.args
    if attr == "format" and receiver.shape is not None:
        return format_braces(receiver, args, call.keywords)
    if attr == "join" and args and (receiver.shape is not None or receiver.kind is None):
        return join_texts(receiver, args[0])
    if attr in ("substitute", "safe_substitute") and isinstance(receiver.ref, str):
        template = Value(shape=receiver.ref, taints=receiver.taints)
        return format_dollar(template, args, call.keywords)
    found = _web_source(call)
    if found is not None:
        return found
    if attr in ("get", "set") and len(args) > 1 and receiver.kind in _SECTIONED:
        return _option(walk, call)
    if attr == "pop" and call.variable and receiver.items and receiver.kind != "dict()":
        walk.env[call.variable] = change(walk, call, receiver) or receiver
        return _get(call)
    if attr in ("get", "pop", "getlist", "setdefault", "get_all", "__getitem__"):
        return _get(call)
    if attr in _HARMLESS:
        return CLEAN
    if attr == "replace" and len(args) >= 2:
        return _replaced(receiver, args)
    if attr in _SAME_TEXT:
        return _same_text(call)
    changed = change(walk, call, receiver)
    if changed is not None and call.variable:
        if attr not in ("write", "put") or receiver.kind in ("io.StringIO()",):
            walk.env[call.variable] = changed
        return UNKNOWN
    return None


def _web_source(call: Call) -> Value | None:
    attr, receiver, node = call.attr, call.receiver, call.node
    key = call.args[0].const if call.args else None
    if attr in REQUEST_METHODS and receiver.kind in REQUEST_KINDS:
        return source(node, Level.REMOTE, f"request.{key or attr}", "the request")
    if attr in SELF_METHODS and receiver.kind == "self":
        return source(node, Level.REMOTE, f"request.{key or attr}", "the request")
    if receiver.kind in REQUEST_KINDS and attr == "get":
        return source(node, Level.REMOTE, f"request.{key or attr}", "the request")
    if attr in REMOTE_METHODS and not receiver.taints:
        return source(node, Level.REMOTE, f"socket.{attr}", "the network")
    if attr in STORED_METHODS:
        return source(node, Level.STORED, f"rows.{node.lineno}", "the database")
    return None


def _get(call: Call) -> Value | None:
    """Return what `d.get(key, default)` gives."""
    receiver, args = call.receiver, call.args
    if not args:
        if call.attr == "pop" and receiver.items is not None:
            values = list(receiver.items.values())
            if call.variable and values:
                return values[-1]
        return Value(taints=receiver.taints) if receiver.taints else None
    conversion = call.keywords.get("type")
    if conversion is not None and conversion.kind in ("int", "float", "bool"):
        return CLEAN
    if receiver.items is None and not receiver.taints:
        return None
    if call.attr == "pop" and receiver.kind != "dict()" and receiver.items is not None:
        index = args[0].const
        values = list(receiver.items.values())
        if isinstance(index, int) and -len(values) <= index < len(values):
            return values[index]
    found = part(receiver, args[0])
    if len(args) > 1 and args[1].taints:
        found = Value(taints=merge_taints(found.taints, args[1].taints), kind=found.kind)
    if found is UNKNOWN and receiver.items and all(map(is_fixed, receiver.items.values())):
        # a lookup in a table of constants
        return CLEAN if len(args) == 1 or is_fixed(args[1]) else args[1]
    return found


def _option(walk: Walk, call: Call) -> Value:
    """Set or get an option of a configuration by its section and name."""
    key = f"{call.args[0].const}\0{call.args[1].const}"
    owner = call.receiver
    if call.attr == "get" or len(call.args) < 3:
        return (owner.items or {}).get(key, Value(taints=owner.taints))
    if call.variable:
        items = {**(owner.items or {}), key: call.args[2]}
        walk.env[call.variable] = Value(items=items, kind=owner.kind)
    return UNKNOWN


def _replaced(receiver: Value, args: list[Value]) -> Value:
    old, new = args[0].const, args[1].const
    safe = 0
    if old == "<" and new in ("&lt;", ""):
        safe = Safe.HTML
    elif old in ("\n", "\r", "\r\n"):
        safe = Safe.HEADER | Safe.LOG
    text = receiver.const
    if isinstance(text, str) and isinstance(old, str) and isinstance(new, str):
        if len(text) + len(new) > 1000:
            return CLEAN
        return constant(text.replace(old, new))
    taints = merge_taints(receiver.taints, args[1].taints)
    taints = tuple(Taint(t.level, t.root, t.trail, t.safe | safe) for t in taints)
    shape = receiver.shape
    if shape is not None and isinstance(old, str) and old:
        shape = shape.replace(old, hole(args[1]))[:4000]
    if safe and shape is None:
        shape = ESCAPED_HOLE
    return Value(shape=shape, taints=taints, kind=receiver.kind, clean=receiver.clean)


def _same_text(call: Call) -> Value:
    receiver, attr = call.receiver, call.attr
    if isinstance(receiver.const, str) and not call.args and attr in _CASES:
        return constant(_CASES[attr](receiver.const))
    name = call.name
    if name in CALLS:
        level, text = CALLS[name]
        return source(call.node, level, f"{name}.{call.node.lineno}", text)
    if attr == "items" and receiver.items is not None:
        pair = element(Value(items=receiver.items, taints=receiver.taints))
        return Value(items=None, taints=pair.taints, clean=is_fixed(receiver))
    if attr == "values" and receiver.items is not None:
        return Value(items=dict(enumerate(receiver.items.values())), taints=receiver.taints)
    if attr == "resolve":
        return Value(kind="resolved", taints=receiver.taints, shape=receiver.shape)
    if attr in ("split", "rsplit", "splitlines", "partition", "rpartition", "group", "groups"):
        return Value(taints=receiver.taints, clean=is_fixed(receiver))
    if attr in ("keys", "copy"):
        return receiver
    return Value(
        shape=receiver.shape,
        taints=receiver.taints,
        clean=receiver.clean or receiver.is_const,
        kind=receiver.kind if attr in ("strip", "expanduser", "absolute") else made(call),
    )
