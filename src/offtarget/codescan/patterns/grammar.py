"""What each language calls its calls, functions, assignments and conditions in its syntax tree."""

from dataclasses import dataclass
from functools import cached_property

_C_ASSIGNS = ("assignment_expression", "init_declarator")
_C_TESTS = (
    "if_statement", "while_statement", "for_statement", "do_statement",
    "conditional_expression", "switch_statement",
)  # fmt: skip
_C_OUTSIDE = (
    r"\bargv\b|\bgetenv\b|\bfgets\b|\brecv(?:from|msg)?\b|\bread\b|scanf\b|\bgets\b|\bgetline\b"
    r"|\bfread\b|\bntoh[sl]+\b|\bcin\b|\bcopy_from_user\b|\bget_user\b"
)
_JS_REQUEST = (
    r"\b(?:req|request|ctx|context)\.(?:query|body|params?|headers?|cookies|url|originalUrl|path"
    r"|hostname|files?|get|request)\b|\bevent\.(?:queryStringParameters|body|pathParameters"
    r"|headers)\b|\blocation\.(?:search|hash|href)\b|\bdocument\.(?:URL|location|cookie|referrer)\b"
    r"|\bsearchParams\b|\bURLSearchParams\b|\bwindow\.name\b|\b(?:e|evt|event|msg|message)\.data\b"
)
_GO_REQUEST = (
    r"\b(?:r|req|request)\.(?:FormValue|PostFormValue|URL|Form|PostForm|Header|Body|Host|RequestURI"
    r"|Cookie|PathValue|MultipartForm|FormFile|Referer|UserAgent)\b|\b(?:c|ctx)\.(?:Query|Param"
    r"|PostForm|FormValue|QueryParam|Params|DefaultQuery|GetHeader|\w*Bind\w*|BodyParser)\b"
    r"|\bmux\.Vars\b"
    r"|\bchi\.URLParam\b"
)
_JAVA_REQUEST = (
    r"\.(?:getParameter\w*|getHeaders?|getHeaderNames|getQueryString|getCookies|getInputStream"
    r"|getReader|getRequestURI|getRequestURL|getPathInfo|getParts?|getRawPath|queryParams?)\b"
    r"|@(?:RequestParam|PathVariable|RequestBody|RequestHeader|CookieValue|QueryParam|PathParam"
    r"|FormParam|HeaderParam|CookieParam|MatrixVariable|ModelAttribute)\b"
)
_CS_REQUEST = (
    r"\bRequest\.(?:QueryString|Form|Params|Cookies|Headers|Path|Query|Body|InputStream|Url|RawUrl"
    r"|Files)\b|\bRequest\[|\bQueryString\[|\[From(?:Query|Body|Route|Form|Header)\b"
)
_PHP_REQUEST = (
    r"\$_(?:GET|POST|REQUEST|COOKIE|FILES)\b|\$_SERVER\b|\$request->(?:get|input|query|post|all|file"
    r"|header|cookie)\b|\bgetallheaders\b|\bfilter_input\b"
)


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """Node kinds of one language, and the texts by which data from outside is known."""

    parser: str
    """The name that ast-grep knows the language by."""
    calls: tuple[str, ...]
    functions: tuple[str, ...]
    assigns: tuple[str, ...]
    loops: tuple[str, ...] = ()
    """Loops that bind a name to each item."""
    tests: tuple[str, ...]
    """Statements and expressions that hold a condition."""
    strings: tuple[str, ...]
    """The inside of string literals, without what is interpolated."""
    comments: tuple[str, ...] = ("comment",)
    request: str
    """Regex of data that a remote client controls."""
    outside: str
    """Regex of data from the command line, the environment, files and sockets."""
    concat: str = r"\+"
    """Regex of the operator that joins strings."""
    formatters: str = r"sprintf|format|concat|join"
    """Regex of calls that build a string from parts."""
    has_braces: bool = True
    logical: str | None = "binary_expression"
    """Node kind that holds `&&` and `||`."""

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Every node kind named here but `logical`."""
        return frozenset(
            {*self.calls, *self.functions, *self.assigns, *self.loops, *self.tests}
            | {*self.strings, *self.comments}
        )


_C = Grammar(
    parser="c", calls=("call_expression",), functions=("function_definition",), assigns=_C_ASSIGNS,
    tests=_C_TESTS, strings=("string_content", "character"), request=r"\bQUERY_STRING\b",
    outside=_C_OUTSIDE, concat=r"(?!)", formatters=r"v?s?n?w?printf|str(?:l|n)?cat|wcscat|asprintf",
)  # fmt: skip
_JS = Grammar(
    parser="javascript",
    calls=("call_expression", "new_expression"),
    functions=(
        "function_declaration", "function_expression", "arrow_function", "method_definition",
        "generator_function_declaration", "generator_function",
    ),
    assigns=("assignment_expression", "augmented_assignment_expression", "variable_declarator"),
    loops=("for_in_statement",),
    tests=(
        "if_statement", "while_statement", "for_statement", "do_statement", "ternary_expression",
        "switch_statement",
    ),
    strings=("string_fragment",),
    request=_JS_REQUEST,
    outside=r"\bprocess\.(?:argv|env|stdin)\b",
)  # fmt: skip

GRAMMARS: dict[str, Grammar] = {
    "c": _C,
    "cpp": Grammar(
        parser="cpp", calls=("call_expression",), functions=("function_definition",),
        assigns=_C_ASSIGNS, loops=("for_range_loop",), tests=_C_TESTS,
        strings=("string_content", "character", "raw_string_content"), request=_C.request,
        outside=_C_OUTSIDE, formatters=_C.formatters + r"|format|append",
    ),
    "csharp": Grammar(
        parser="csharp", calls=("invocation_expression", "object_creation_expression"),
        functions=(
            "method_declaration", "constructor_declaration", "local_function_statement",
            "lambda_expression", "anonymous_method_expression",
        ),
        assigns=("assignment_expression", "variable_declarator"), loops=("foreach_statement",),
        tests=(
            "if_statement", "while_statement", "for_statement", "do_statement",
            "conditional_expression", "switch_statement",
        ),
        strings=("string_literal_content", "string_content", "verbatim_string_literal"),
        request=_CS_REQUEST, outside=r"\bConsole\.ReadLine\b|\bargs\[|\bEnvironment\.Get",
        formatters=r"Format|Concat|Join|AppendFormat|Append",
    ),
    "go": Grammar(
        parser="go", calls=("call_expression",),
        functions=("function_declaration", "method_declaration", "func_literal"),
        assigns=("short_var_declaration", "assignment_statement", "var_spec", "const_spec"),
        loops=("range_clause",),
        tests=("if_statement", "for_clause", "expression_switch_statement", "for_statement"),
        strings=("interpreted_string_literal_content", "raw_string_literal_content"),
        request=_GO_REQUEST, outside=r"\bos\.(?:Args|Getenv|Stdin)\b|\bflag\.",
        formatters=r"Sprintf|Sprint|Sprintln|Join|WriteString",
    ),
    "java": Grammar(
        parser="java", calls=("method_invocation", "object_creation_expression"),
        functions=("method_declaration", "constructor_declaration", "lambda_expression"),
        assigns=("assignment_expression", "variable_declarator"),
        loops=("enhanced_for_statement",),
        tests=(
            "if_statement", "while_statement", "for_statement", "do_statement",
            "ternary_expression", "switch_expression",
        ),
        strings=("string_fragment", "character_literal"), comments=("line_comment",
        "block_comment"), request=_JAVA_REQUEST,
        outside=r"\bargs\[|\bSystem\.(?:getenv|getProperty|in)\b|\bScanner\b",
        formatters=r"format|concat|join|append|formatted",
    ),
    "javascript": _JS,
    "typescript": Grammar(
        parser="typescript", calls=_JS.calls, functions=_JS.functions, assigns=_JS.assigns,
        loops=_JS.loops, tests=_JS.tests, strings=_JS.strings, request=_JS.request,
        outside=_JS.outside,
    ),
    "php": Grammar(
        parser="php",
        calls=(
            "function_call_expression", "member_call_expression", "scoped_call_expression",
            "nullsafe_member_call_expression", "object_creation_expression",
        ),
        functions=(
            "function_definition", "method_declaration", "anonymous_function", "arrow_function",
        ),
        assigns=("assignment_expression", "augmented_assignment_expression"),
        loops=("foreach_statement",),
        tests=(
            "if_statement", "while_statement", "for_statement", "do_statement",
            "conditional_expression", "switch_statement", "else_if_clause",
        ),
        strings=("string_content",), request=_PHP_REQUEST, outside=r"\$argv\b|\bgetenv\b",
        concat=r"\.", formatters=r"sprintf|implode|join|str_replace",
    ),
    "ruby": Grammar(
        parser="ruby", calls=("call",), functions=("method", "singleton_method"),
        assigns=("assignment", "operator_assignment"),
        tests=("if", "unless", "while", "until", "if_modifier", "unless_modifier", "conditional",
               "case"),
        strings=("string_content",),
        request=r"\bparams\b|\brequest\.(?:params|query_string|path|env|headers|body|referer)\b"
        r"|\bcookies\b",
        outside=r"\bARGV\b|\bENV\b|\bgets\b", formatters=r"format|sprintf|join|concat",
        has_braces=False, logical=None,
    ),
    "rust": Grammar(
        parser="rust", calls=("call_expression", "macro_invocation"),
        functions=("function_item", "closure_expression"),
        assigns=("let_declaration", "assignment_expression", "compound_assignment_expr"),
        loops=("for_expression",),
        tests=("if_expression", "while_expression", "match_expression"),
        strings=("string_content",), comments=("line_comment", "block_comment"),
        request=r"\bweb::(?:Query|Path|Form|Json)\b|\b(?:Query|Path|Form|Json)<"
        r"|\b(?:req|request)\.(?:query|param|uri|headers|body|match_info)\b",
        outside=r"\benv::(?:args|var)\w*\b|\bstdin\b", formatters=r"format!|concat!|push_str|join",
    ),
}  # fmt: skip
"""By `Language` value."""
