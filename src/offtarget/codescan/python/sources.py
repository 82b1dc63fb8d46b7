"""Where data from outside enters: what requests, arguments, input and files hand to the code."""

import ast
import re
from functools import lru_cache
from typing import Final

from offtarget.codescan.python.values import Level
from offtarget.codescan.python.words import words

REQUEST: Final = "web.request"
"""Kind of every framework's request object."""

REQUEST_KINDS: Final = frozenset(
    {
        REQUEST,
        "flask.request",
        "bottle.request",
        "cherrypy.request",
        "fastapi.Request()",
        "sanic.request",
        "self.request",
        "webapp2.request",
    }
)

REQUEST_FIELDS: Final = words(
    """
    args form values cookies headers files json data GET POST COOKIES FILES META body
    query_params path_params query match_info rel_url query_string params forms url path
    full_path base_url url_root referrer stream arguments body_arguments query_arguments uri
    view_args environ content host_url raw_post_data REQUEST DATA QUERY_PARAMS json_body
    matchdict subdomain media forms
    """
)

REQUEST_METHODS: Final = words(
    """
    get_json get_data get_argument get_arguments get_query_argument get_body_argument
    getvalue get_full_path build_absolute_uri get_cookie get_secure_cookie post json text
    read body form get_all getlist get_host getfirst get_raw_uri get query get_header
    get_param get_param_as_list get_media to_dict
    """
)

WRAPPED: Final = "web.wrapped"
"""Kind of what an unknown function makes of a request: a wrapper that hands out its fields."""

_HANDS_OUT: Final = re.compile(
    r"^(?!.*(?:safe|valid|clean|sanit|escap|int|float|bool|uuid))"
    r"(?:get_?|read_?|fetch_?)?\w*?(?:param|parameter|form|query|header|cookie|arg|argument|field|"
    r"value|input|body|json)s?$",
    re.I,
)
SELF_METHODS: Final = frozenset(
    {
        "get_argument",
        "get_arguments",
        "get_query_argument",
        "get_query_arguments",
        "get_body_argument",
        "get_body_arguments",
        "get_cookie",
    }
)
"""Methods that tornado handlers inherit."""

LOCAL_NAMES: Final = {
    "sys.argv": Level.LOCAL,
    "sys.stdin": Level.LOCAL,
    "os.environ": Level.LOCAL,
    "flask.request.args": Level.REMOTE,
}

CALLS: Final = {
    "input": (Level.LOCAL, "typed input"),
    "sys.stdin.read": (Level.LOCAL, "typed input"),
    "sys.stdin.readline": (Level.LOCAL, "typed input"),
    "fileinput.input": (Level.LOCAL, "typed input"),
    "getpass.getpass": (Level.LOCAL, "typed input"),
    "click.prompt": (Level.LOCAL, "typed input"),
    "typer.prompt": (Level.LOCAL, "typed input"),
    "os.getenv": (Level.LOCAL, "environment"),
    "os.environ.get": (Level.LOCAL, "environment"),
    "argparse.ArgumentParser().parse_args": (Level.LOCAL, "command line"),
    "argparse.ArgumentParser().parse_known_args": (Level.LOCAL, "command line"),
    "optparse.OptionParser().parse_args": (Level.LOCAL, "command line"),
    "docopt.docopt": (Level.LOCAL, "command line"),
    "cgi.FieldStorage": (Level.REMOTE, "request"),
    "web.input": (Level.REMOTE, "request"),
    "web.data": (Level.REMOTE, "request"),
    "requests.get": (Level.STORED, "response of another service"),
    "requests.post": (Level.STORED, "response of another service"),
    "requests.request": (Level.STORED, "response of another service"),
    "httpx.get": (Level.STORED, "response of another service"),
    "httpx.post": (Level.STORED, "response of another service"),
    "urllib.request.urlopen": (Level.STORED, "response of another service"),
    "feedparser.parse": (Level.STORED, "response of another service"),
    "open().read": (Level.STORED, "file"),
    "open().readline": (Level.STORED, "file"),
    "open().readlines": (Level.STORED, "file"),
    "csv.reader": (Level.STORED, "file"),
    "csv.DictReader": (Level.STORED, "file"),
    "socket.socket().recv": (Level.REMOTE, "socket"),
    "socket.socket().recvfrom": (Level.REMOTE, "socket"),
    "asyncio.StreamReader().read": (Level.REMOTE, "socket"),
}

REMOTE_METHODS: Final = frozenset({"recv", "recvfrom", "recv_string", "recv_json", "recv_text"})
"""Methods of sockets and websockets, whatever the receiver is called."""

STORED_METHODS: Final = frozenset({"fetchone", "fetchall", "fetchmany"})

HANDLER_FIELDS: Final = frozenset({"path", "headers", "rfile", "requestline"})
"""What `http.server` handlers read from the request."""

_ROUTE: Final = words(
    """
    route get post put delete patch head options websocket api_view expose view_config
    websocket_route errorhandler
    """
)
_COMMAND: Final = frozenset({"command", "group", "callback"})
_CONVERTED: Final = re.compile(r"<(?:int|float|uuid)(?:\([^)]*\))?:(\w+)>")
_NUMERIC: Final = words(
    """
    int float bool UUID datetime date Decimal Enum
    """
)
_OBJECTS: Final = frozenset(
    {"Session", "AsyncSession", "Depends", "Security", "BackgroundTasks", "Connection", "Engine"}
)


@lru_cache(maxsize=4096)
def hands_out(method: str) -> bool:
    """Return whether a method of a request's wrapper is, by its name, there to read a field."""
    return bool(_HANDS_OUT.search(method))


def decorator_name(node: ast.expr) -> str:
    """Return the last word of a decorator: `route` of `@app.route('/x')`."""
    target = node.func if isinstance(node, ast.Call) else node
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def is_route(node: ast.expr) -> bool:
    """Return whether a decorator registers a web handler."""
    name = decorator_name(node)
    if name in ("route", "api_view", "expose", "view_config"):
        return True
    if name not in _ROUTE or not isinstance(node, ast.Call):
        return False
    first = node.args[0] if node.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str | int)


def is_command(node: ast.expr) -> bool:
    """Return whether a decorator makes a function a command of click or typer."""
    return decorator_name(node) in _COMMAND


def numeric_parameters(decorators: list[ast.expr]) -> set[str]:
    """Return the parameters that a route converts to numbers: `<int:id>`."""
    names: set[str] = set()
    for node in decorators:
        if isinstance(node, ast.Call):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    names.update(_CONVERTED.findall(argument.value))
    return names


def annotation_word(node: ast.expr | None) -> str:
    """Return the last word of an annotation: `Request` of `starlette.requests.Request`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.BinOp):
        node = node.left
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(".")[2]
    return ""


def is_numeric(annotation: ast.expr | None) -> bool:
    """Return whether a type leaves no room for hostile text."""
    return annotation_word(annotation) in _NUMERIC


def is_plain_object(annotation: ast.expr | None, default: ast.expr | None) -> bool:
    """Return whether a handler's parameter is a service that the framework passes in."""
    if isinstance(default, ast.Call) and decorator_name(default) in ("Depends", "Security"):
        return True
    return annotation_word(annotation) in _OBJECTS
