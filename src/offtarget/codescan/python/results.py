"""What functions and methods of the language and its libraries return."""

from typing import Any, Final

from offtarget.codescan.python.constants import folded_function, folded_method
from offtarget.codescan.python.contents import change, element, part, popped, store
from offtarget.codescan.python.formats import format_braces, format_dollar, join_texts
from offtarget.codescan.python.guards import roots_of
from offtarget.codescan.python.sanitizers import replaced_by_pattern, sanitized
from offtarget.codescan.python.sources import (
    CALLS,
    REMOTE_METHODS,
    REQUEST_KINDS,
    REQUEST_METHODS,
    SELF_METHODS,
    STORED_METHODS,
    WRAPPED,
    hands_out,
)
from offtarget.codescan.python.values import (
    CLEAN,
    CLEAN_TEXT,
    ESCAPED_HOLE,
    MISSING,
    NONE,
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
    parts_of,
    with_safe,
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
    rsplit partition rpartition copy read readline readlines values items keys to_dict
    toString getvalue expanduser absolute resolve as_posix with_suffix group groups dict
    """
)
_PASSED_ON: Final = words(
    """
    str repr bytes bytearray list tuple set sorted reversed dict frozenset iter next
    enumerate zip map filter json.load vars collections.deque urllib.parse.urlparse urllib.parse.urlsplit
    urllib.parse.urljoin typing.cast os.path.join
    os.path.normpath os.path.abspath os.path.realpath io.StringIO io.BytesIO
    os.path.expanduser os.path.expandvars os.fspath pathlib.Path copy.copy cast
    urllib.parse.parse_qs urllib.parse.parse_qsl ast.literal_eval
    copy.deepcopy markupsafe.Markup textwrap.dedent min max
    string.Template os.path.dirname sqlalchemy.text str.format ast.parse os.path.splitext
    six.text_type six.ensure_str unicode django.utils.encoding.force_str getattr
    """
)
_ENCODING: Final = words(
    """
    base64.b64encode base64.urlsafe_b64encode base64.standard_b64encode base64.b32encode
    base64.b16encode base64.encodebytes binascii.hexlify binascii.b2a_base64
    """
)
"""What they return holds letters, digits and few signs: harmless until it is decoded."""
_DECODING: Final = words(
    """
    base64.b64decode base64.urlsafe_b64decode base64.standard_b64decode base64.b32decode
    base64.b16decode base64.b85decode base64.decodebytes binascii.unhexlify
    binascii.a2b_base64 binascii.a2b_hex bytes.fromhex codecs.decode zlib.decompress
    gzip.decompress html.unescape urllib.parse.unquote urllib.parse.unquote_plus json.loads
    """
)
"""What was harmless before may be anything after."""
_LISTS: Final = frozenset({"list", "tuple", "sorted", "iter", "collections.deque"})
_MAPPINGS: Final = frozenset({"dict", "collections.OrderedDict", "collections.defaultdict"})
_SECTIONED: Final = frozenset({"configparser.ConfigParser()", "configparser.RawConfigParser()"})
_COPIED: Final = frozenset({"str", "repr", "textwrap.dedent", "unicode", "six.text_type"})
_RESOLVING: Final = frozenset({"os.path.realpath", "os.path.abspath", "os.path.normpath"})


def made(call: Call) -> str | None:
    """Return the kind of what a call makes."""
    return f"{call.name}()" if call.name and len(call.name) < 90 else None


def function_result(call: Call) -> Value | None:
    """Return the result of a function known by its dotted name; None for others."""
    name, args = call.name, call.args
    if name in _NUMBERS or name in ("str", "min", "max"):
        known = folded_function(call)
        if known is not None or name in _NUMBERS:
            return known or CLEAN
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
    if name in _MAPPINGS:
        return _mapping(call)
    if name in ("list", "set", "collections.deque") and not args:
        return Value(items={})
    if name == "re.sub":
        return replaced_by_pattern(call)
    if name in _ENCODING and args:
        return CLEAN_TEXT if is_fixed(args[0]) else with_safe(args[0], Safe.ALL & ~Safe.TRUST)
    if name in _DECODING and args:
        return _decoded(args[0])
    if name == "map" and args:
        if args[0].kind in ("int", "float"):
            return CLEAN
        args = args[1:] or args
    if name in _PASSED_ON and args:
        if name in _COPIED and not args[0].items:
            value = args[0]
            fixed = value.clean or value.is_const
            kind = value.kind if value.kind == "resolved" else None
            clean = fixed and not value.taints
            return Value(shape=hole(value), taints=value.taints, clean=clean, kind=kind)
        kind = "resolved" if name in _RESOLVING else f"{name}()"
        if name == "io.StringIO":
            return Value(kind=kind, shape=hole(args[0]), taints=taints_of(args))
        if len(args) == 1 and args[0].items is not None and name in _LISTS:
            return args[0]
        fixed = all(map(is_fixed, args))
        taints = taints_of(args)
        if name == "os.path.splitext":
            taints = parts_of(taints)
        return Value(kind=kind, taints=taints, clean=fixed)
    return None


def _mapping(call: Call) -> Value:
    """Return a new dictionary, of which another one may be the beginning."""
    items: dict[Any, Value] = {}
    taints: tuple[Taint, ...] = ()
    for value in call.args if call.name != "collections.defaultdict" else call.args[1:]:
        if value.items is not None and value.kind == "dict()":
            items.update(value.items)
            taints = merge_taints(taints, value.taints)
        else:
            taints = merge_taints(taints, all_taints(value))
    return Value(kind="dict()", items={**items, **call.keywords}, taints=taints)


def _decoded(value: Value) -> Value:
    if is_fixed(value):
        return CLEAN
    taints = tuple(
        Taint(t.level, t.root, t.trail, t.safe & Safe.INDIRECT) for t in all_taints(value)
    )
    return Value(taints=taints)


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
    if receiver.const is not MISSING:
        known = folded_method(call)
        if known is not None:
            return known
    if attr == "sub" and isinstance(receiver.ref, str):
        return replaced_by_pattern(call)
    if attr == "format_map" and receiver.shape is not None and args:
        return format_braces(receiver, [], _named(args[0]))
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
    if attr == "relative_to" and receiver.kind == "resolved":
        walk.prove(dict.fromkeys(roots_of(receiver), Safe.PATH))  # it raises for paths outside
        return receiver
    if attr in ("get", "set") and len(args) > 1 and receiver.kind in _SECTIONED:
        return _option(walk, call)
    if attr in ("pop", "popleft") and call.variable and receiver.items and not _is_dict(receiver):
        walk.env[call.variable] = change(walk, call, receiver) or receiver
        return popped(call)
    if attr == "setdefault" and call.variable and len(args) == 2 and receiver.items is not None:
        return _set_default(walk, call)
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


def _named(mapping: Value) -> dict[str, Value]:
    """Return the texts of a mapping by name; under `**` what any other name stands for."""
    items = mapping.items or {}
    rest = {"**": Value(taints=mapping.taints)} if mapping.taints else {}
    return {**rest, **{key: value for key, value in items.items() if isinstance(key, str)}}


def _web_source(call: Call) -> Value | None:
    attr, receiver, node = call.attr, call.receiver, call.node
    key = call.args[0].const if call.args else None
    if attr in REQUEST_METHODS and receiver.kind in REQUEST_KINDS:
        return source(node, Level.REMOTE, f"request.{key or attr}", "the request")
    if attr in SELF_METHODS and receiver.kind == "self":
        return source(node, Level.REMOTE, f"request.{key or attr}", "the request")
    if receiver.kind in REQUEST_KINDS and attr == "get":
        return source(node, Level.REMOTE, f"request.{key or attr}", "the request")
    if receiver.kind == WRAPPED and type(key) is str and hands_out(attr):
        return source(node, Level.REMOTE, f"request.{key}", "the request")
    if attr in REMOTE_METHODS and not receiver.taints:
        return source(node, Level.REMOTE, f"socket.{attr}", "the network")
    if attr in STORED_METHODS:
        return source(node, Level.STORED, f"rows.{node.lineno}", "the database")
    return None


def _set_default(walk: Walk, call: Call) -> Value:
    key, value = call.args
    if not _lacks(call.receiver, key.const):
        return _get(call) or UNKNOWN
    walk.env[call.variable] = store(call.receiver, key, value)
    return value


def _is_dict(value: Value) -> bool:
    return value.kind == "dict()"


def _lacks(mapping: Value, key: object) -> bool:
    """Return whether a dictionary all of whose keys are known has no such key."""
    items = mapping.items
    return items is not None and isinstance(key, str | int) and not {key, "?"} & items.keys()


def _get(call: Call) -> Value | None:
    """Return what `d.get(key, default)` gives."""
    receiver, args = call.receiver, call.args
    if not args:
        return Value(taints=all_taints(receiver)) if receiver.taints or receiver.items else None
    conversion = call.keywords.get("type")
    if conversion is not None and conversion.kind in ("int", "float", "bool"):
        return CLEAN
    if receiver.items is None and not receiver.taints:
        return None
    if _is_dict(receiver) and not receiver.taints and _lacks(receiver, args[0].const):
        return args[1] if len(args) > 1 else NONE
    found = part(receiver, args[0])
    if _is_dict(receiver) and found is (receiver.items or {}).get(args[0].const):
        return found
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
    elif old in ("..", "/", "\\") and isinstance(new, str) and old not in new:
        safe = Safe.PATH
    elif old in ("'", '"') and isinstance(new, str) and old not in new:
        safe = Safe.XPATH
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
        return Value(taints=parts_of(receiver.taints), clean=is_fixed(receiver))
    if attr in ("keys", "copy"):
        return receiver
    return Value(
        shape=receiver.shape,
        taints=receiver.taints,
        clean=receiver.clean or receiver.is_const,
        kind=receiver.kind if attr in ("strip", "expanduser", "absolute") else made(call),
    )
