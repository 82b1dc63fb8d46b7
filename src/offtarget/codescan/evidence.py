"""What is typical of each language's text: patterns and how much each occurrence weighs.

Patterns look at single lines and repeat no group, so that they take linear time.
"""

from offtarget.codescan.clues import Clues, clues
from offtarget.codescan.language import Language

_SEMICOLON = (0.5, r"[\w)\]\"'];[ \t]*(?://[^\n]*)?$")
_BLOCK = (0.3, r"[)\w][ \t]?\{[ \t]*$|^[ \t]*\}[ \t]*$")
_NO_PYTHON = (
    -0.6,
    r";[ \t]*$|\{(?:(?<=[)\w]\{)|(?<=[)\w][ \t]\{))[ \t]*$|^[ \t]*(?://|/\*)|&&|^[ \t]*\}[ \t]*else\b",
)
_SLASHES = (0.3, r"^[ \t]*(?://|/\*| \*[ /])")

_C_COMMON = (
    _SEMICOLON,
    _BLOCK,
    _SLASHES,
    (1.2, r"^[ \t]*#[ \t]*(?:include|define|ifn?def|endif|if|else|elif|undef|pragma)\b"),
    (0.8, r"\b(?:unsigned|size_t|u?int(?:8|16|32|64)_t|wchar_t|uint|DWORD|BOOL|u?char)\b[ *]"),
    (
        0.7,
        r"\b(?:int|char|void|long|double|float|struct \w+"
        r"|[A-Z_]\w*)[ \t]+\*{1,2}[ \t]?\w|\w\*\*? \w+[,);=]",
    ),
    (0.8, r"\w->\w"),
    (
        1.0,
        r"\b(?:s?n?printf|fprintf|malloc|calloc|realloc|free|strn?cpy|strn?cat|strlen"
        r"|strn?cmp|mem(?:cpy|set|move|cmp)|f?scanf|fopen|fclose|fgets|sizeof|atoi"
        r"|vsn?printf|sprintf_s|strtok|strdup|alloca)[ \t]?\(",
    ),
    (0.6, r"\bNULL\b|\bgoto \w+;|\bstatic (?:inline|int|void|const|char|struct)\b"),
    (0.5, r"[(,=] ?&\w+[,)\[.]|\[[A-Z_0-9]+\]|'\\0'"),
    (0.5, r"^(?:static |extern |const )*(?:int|void|char|bool|struct \w+)[ *]+\w+\("),
)

CPP_MARKS = clues(
    (
        1.0,
        r"\w::[~\w]|\b(?:nullptr|\w+_cast<|constexpr|typename|noexcept)\b"
        r"|\) (?:const )?override\b",
    ),
    (
        1.0,
        r"^[ \t]*(?:public|private|protected)(?: slots)?:|\btemplate[ \t]?<"
        r"|^[ \t]*(?:using )?namespace\b",
    ),
    (1.0, r"\b(?:cout|cerr|cin|endl)\b|\w<\w[\w, :*]*>[ &*(]|\bunique_ptr\b|\bshared_ptr\b"),
    (1.0, r"\bdelete(?: ?\[\])? \w+;|[=(,] ?new \w+[\[(;]|\bauto[&*]? \w+ ?[=:]|\bvirtual \w+ \w"),
    (
        1.0,
        r"#include <[a-z_]+>|\bcatch ?\(|^[ \t]*class \w+[ \t]*[:{\n]|\busing \w+ ="
        r"|\bextern \"C\"|^[ \t]*try[ \t]*\{?$",
    ),
    (1.0, r"\bconst \w+ ?& ?\w|\w& \w+[,)=]|\bthis->|\boperator[^\w\s]|^[ \t]*string \w+[;=(]"),
    (
        1.0,
        r"\.(?:c_str|size|begin|end|push_back|empty|substr|clear|append)\(\)?"
        r"|\bEXPECT_\w+\(|\w->\w+\(\)",
    ),
    (0.3, r"\w\.[A-Za-z]\w*\([^\n]*;|\bfor ?\((?:int|size_t|unsigned|auto) "),
    (
        0.2,
        r"\b(?:Q[A-Z]\w+|[A-Z][a-z]\w*[A-Z]\w*) ?[*&]? ?\w+[(;=]|\bm_\w|\bbool \w"
        r"|\b(?:true|false)\b",
    ),
)
"""What tells C++ from C once the code is known to be one of the two."""

EVIDENCE: dict[Language, Clues] = {
    Language.PYTHON: clues(
        _NO_PYTHON,
        (2.0, r"^[ \t]*(?:async )?def \w+[ \t]?\([^\n]*(?:\)|,|\()?[^\n]*:?[ \t]*(?:#[^\n]*)?$"),
        (1.5, r"^[ \t]*from [\w.]+ import\b"),
        (1.0, r"^[ \t]*import [\w.]+(?: as \w+)?(?:, ?[\w.]+)*[ \t]*$"),
        (1.5, r"^[ \t]*(?:el)?if [^\n{;]*:[ \t]*(?:#[^\n]*)?$|^[ \t]*(?:else|try|finally):[ \t]*$"),
        (1.5, r"^[ \t]*(?:for [\w, ()]+ in |while |with |except\b)[^\n{;]*:[ \t]*(?:#[^\n]*)?$"),
        (1.5, r"^[ \t]*class \w+(?:\([^\n)]*\))?:[ \t]*$|\b__\w+__\b"),
        (0.8, r"\bself\.\w|\b(?:None|True|False)\b|\bnot in\b|\bis not\b|\blambda \w*[,:]"),
        (0.7, r"^[ \t]*print\b[ (\"']|\b[rbf]\"|\b[rbfu]'|\"\"\"|'''"),
        (0.5, r"^[ \t]*#(?!include|define|if|endif|else|pragma|undef|\[|!)[ \w]|^[ \t]*@\w[\w.]*"),
        (0.3, r"^[ \t]*[\w.]+ = [^\n;{]*[^\n;{,>]$|^[ \t]*[\w.]+\([^\n;{]*\)[ \t]*$"),
        (0.6, r"\[[^\n\[\]]{0,80} for \w+ in |%[ \t]?\(|\.format\(|\bin range\("),
    ),
    Language.C: clues(
        *_C_COMMON,
        (
            1.5,
            r"\bstd::|^[ \t]*(?:public|private|protected)(?: slots)?:|^[ \t]*template[ \t]?<"
            r"|#include <\w+>",
        ),
        (
            1.5,
            r"\b(?:nullptr|static_cast|reinterpret_cast|dynamic_cast|const_cast|constexpr"
            r"|typename|noexcept)\b",
        ),
        (
            1.0,
            r"^[ \t]*(?:\w+ )?\w+::~?\w+\(|\b(?:cout|cerr|cin)\b|\b(?:vector|map|set|pair"
            r"|unique_ptr|shared_ptr)<",
        ),
        (
            0.8,
            r"\bconst \w+ ?& ?\w|\bdelete(?: ?\[\])? \w|\bvirtual \w|\bEXPECT_\w+\("
            r"|\bASSERT_\w+\(|\busing namespace [a-z]",
        ),
    ),
    Language.CSHARP: clues(
        _SEMICOLON,
        _BLOCK,
        _SLASHES,
        (2.0, r"^[ \t]*using (?:static )?[A-Z][\w.]*;|^[ \t]*namespace [A-Z][\w.]*"),
        (1.6, r"\{ ?(?:private |protected |internal )?(?:get|set)\b|\bget;|\bset;|=> ?\w+[^\n]*;$"),
        (1.5, r"\b(?:string|bool|byte\[\]|object|decimal)\b \w+(?: ?[=;,)(])"),
        (
            1.3,
            r"\bvar \w+ = |\bforeach ?\(|\basync Task\b|\bTask<|\b(?:internal|sealed"
            r"|readonly|override|partial)\b",
        ),
        (
            1.3,
            r"\b(?:Console|Convert|Encoding|Environment|Debug|Assert)\.[A-Z]\w+"
            r"|\bIEnumerable\b|\bIList<|\$\"|@\"",
        ),
        (
            1.2,
            r"^[ \t]*///[ \t]*<|\busing ?\(\w+ \w+ = |\bout \w+[,)]"
            r"|^[ \t]*\[[A-Z]\w*(?:\([^\n]*\))?\][ \t]*$|^[ \t]*#(?:region|endregion)\b",
        ),
        (
            0.7,
            r"\b(?:public|private|protected)(?: static| override| async| virtual"
            r"| readonly)* [\w<>\[\],?.]+ [A-Z]\w*",
        ),
        (0.7, r"\.[A-Z]\w+ ?\(|\bnew [A-Z]\w*(?:<[^\n>]*>)?[ ({\[]|\bbase\.|\?\?|\bnull\b"),
    ),
    Language.GO: clues(
        (-0.5, r";[ \t]*$"),
        _SLASHES,
        (2.5, r"^func (?:\([^\n)]*\) ?)?\w+\("),
        (2.5, r"^package \w+[ \t]*$|^import \($|\bif err != nil\b"),
        (1.3, r"\w :?= range |\w := |\bchan \w|\bgo func\b|\bdefer \w"),
        (
            1.2,
            r"\b(?:fmt|http|os|io|exec|strings|errors|log|json|sql|filepath|ioutil"
            r"|context)\.[A-Z]\w+",
        ),
        (
            1.0,
            r"^type \w+ (?:struct|interface) ?\{|\[\](?:byte|string|int)\b|\bmap\[\w+\]"
            r"|\bnil\b|interface\{\}",
        ),
        (0.4, r"^[ \t]*(?:if|for|switch) [^\n(][^\n]*\{[ \t]*$"),
    ),
    Language.JAVA: clues(
        _SEMICOLON,
        _BLOCK,
        _SLASHES,
        (
            2.5,
            r"^[ \t]*import (?:static )?[a-z][\w]*(?:\.\w+)+(?:\.\*)?;"
            r"|^[ \t]*package [a-z][\w.]*;",
        ),
        (
            1.6,
            r"\bthrows [A-Z]\w+|\bSystem\.(?:out|err|getenv|getProperty)\b|@(?:Override|Test"
            r"|Autowired|Deprecated|SuppressWarnings|RequestMapping|Nullable)\b",
        ),
        (
            1.2,
            r"\b(?:String|Integer|Boolean|Object|List<|Map<|ArrayList<|HashMap<|Exception"
            r"|IOException)\b\[?\]?>? ?\w+ ?[=;,):]",
        ),
        (
            1.0,
            r"\bfinal [A-Z]\w*|\bboolean \w|\binstanceof\b|\bimplements\b|\bextends [A-Z]"
            r"|\bstatic final\b|\.class\b|\bbyte\[\] \w",
        ),
        (
            0.9,
            r"\b(?:public|private|protected)(?: static| final| synchronized"
            r"| abstract)* [\w<>\[\],?.]+ [a-z]\w*[ (;=]",
        ),
        (
            0.8,
            r"catch \((?:final )?[A-Z][\w| ]* \w+\)|^[ \t]*@[A-Z]\w+(?:\([^\n]*\))?[ \t]*$"
            r"|\bfor \([A-Z]\w*(?:<[^\n>]*>)? \w+ :",
        ),
        (
            0.7,
            r"\.(?:getInstance|equals|toString|getBytes|append|length|get[A-Z]\w*"
            r"|set[A-Z]\w*)\(|\bthis\.\w+ = |\bnew [A-Z]\w*(?:<[^\n>]*>)?\(",
        ),
    ),
    Language.JAVASCRIPT: clues(
        _SEMICOLON,
        _BLOCK,
        _SLASHES,
        (
            2.0,
            r"\brequire\(['\"]|\bmodule\.exports\b|\bexports\.\w|\bexport (?:default|const"
            r"|function)\b",
        ),
        (1.5, r"\bfunction ?\w* ?\([\w, $={}]*\) ?\{|\([\w, ]*\) ?=> ?[{(\w]|\b\w+ => [{(\w]"),
        (1.3, r"^[ \t]*(?:const|let|var) (?:[\w$]+|\{[^\n}]*\}|\[[^\n\]]*\])(?: ?[=;,]|$)"),
        (1.5, r"===|!==|\bundefined\b|\btypeof \w|\bdocument\.\w|\bwindow\.\w|\bconsole\.\w+\("),
        (
            1.0,
            r"\$\(|\bJSON\.|\bMath\.random\(|\.then\(|\.prototype\b|\$\.\w|\bjQuery\b"
            r"|\.innerHTML\b|\bprocess\.env\b",
        ),
        (
            0.8,
            r"^[ \t]*import [^\n]* from ['\"]|\.(?:forEach|addEventListener|push|indexOf"
            r"|slice)\(|`[^`\n]*\$\{",
        ),
        (
            0.6,
            r"\bthis\.\w|\bvar \w|\bnew (?:Date|Error|Buffer|Promise|RegExp)\b|\bfunction\b"
            r"|^[ \t]*[\w$]+: (?:function|\{|'|\")|\}\);?[ \t]*$",
        ),
    ),
    Language.TYPESCRIPT: clues(
        _SEMICOLON,
        _BLOCK,
        (
            1.6,
            r"[\w)\]?]: ?(?:string|number|boolean|any|void|unknown|never|Promise<|Array<"
            r"|Record<)(?:\[\])?[ ,;)={|>\n]",
        ),
        (
            2.5,
            r"^[ \t]*(?:export )?(?:interface \w+[^\n]*\{|type \w+ = |enum \w+ ?\{)"
            r"|\bimport type\b",
        ),
        (
            1.5,
            r"\bas (?:const|any|string|unknown|\w+\[\])\b|\bprivate \w+:|\breadonly \w+:"
            r"|\bpublic \w+\??:",
        ),
        (
            1.0,
            r"\b(?:const|let) \w+: |===|=> ?\{|\bexport (?:default|const|function|class"
            r"|async)\b",
        ),
        (0.6, r"^[ \t]*import [^\n]* from ['\"]|^[ \t]*(?:const|let) \w+ ?=|\bconsole\.log\("),
    ),
    Language.PHP: clues(
        _SEMICOLON,
        _BLOCK,
        _SLASHES,
        (4.0, r"<\?(?:php|=)"),
        (1.7, r"\$[A-Za-z_]\w*(?:\[[^\n\[\]]{0,60}\])? ?(?:=|->|\.=|\)|;|,|\.)"),
        (2.0, r"\$this->|\$_(?:GET|POST|REQUEST|SERVER|SESSION|COOKIE|FILES)\b|\?>[ \t]*$"),
        (
            1.2,
            r"\b(?:echo|isset|empty|array\(|foreach|mysqli?_\w+|str_replace|htmlspecialchars"
            r"|explode|implode|preg_\w+|unset)[ (]",
        ),
        (
            1.2,
            r"\bfunction \w+\(\$|\bdefine\(['\"]|\bself::|'\w+' => ?['\"$\[]"
            r"|\bpublic (?:static )?function\b|@param \w+ \$",
        ),
    ),
    Language.RUBY: clues(
        (-0.6, r";[ \t]*$|[)\w] ?\{[ \t]*$|:[ \t]*$"),
        (1.5, r"^[ \t]*end(?:\.\w+)?[ \t]*$"),
        (1.5, r"^[ \t]*def (?:self\.)?\w+[?!]?(?: ?\([^\n:]*\))?[ \t]*$"),
        (
            1.5,
            r"\bdo \|[^\n|]*\||\{ ?\|[^\n|]*\||^[ \t]*require(?:_relative)? ['\"]|\bputs\b"
            r"|\battr_\w+ :",
        ),
        (
            1.2,
            r"(?:^|[\s(])@{1,2}\w+ ?(?:=|\.|\|\|=)|\.(?:nil|empty|present|blank|any)\?"
            r"|\bunless\b|\belsif\b|\bparams\[:",
        ),
        (
            0.8,
            r":\w+ ?=>|\b\w+: :\w|^[ \t]*(?:module|class) [A-Z]\w*(?:(?: <"
            r"|::) ?[\w:]+)?[ \t]*$|#\{",
        ),
    ),
    Language.RUST: clues(
        _SEMICOLON,
        _BLOCK,
        _SLASHES,
        (2.5, r"\bfn \w+(?:<[^\n<>]{0,80}>)?\("),
        (
            2.0,
            r"\blet mut \w|\b(?:pub|pub\(crate\)) (?:fn|struct|enum|mod|use|const)\b"
            r"|^[ \t]*use [\w:]+(?:::[\w{*]|;)",
        ),
        (
            1.5,
            r"\b(?:println|format|vec|assert|assert_eq|panic|write|unreachable|debug"
            r"|eprintln|info|matches)!\s?[(\[]|#!?\[\w+",
        ),
        (
            1.5,
            r"\bimpl(?:<[^\n>]*>)? \w|\bunsafe \{|\bmatch [^\n;]*\{[ \t]*$|&mut \w"
            r"|&'?[a-z]+ (?:str|mut)\b|&str\b|&self\b",
        ),
        (
            1.2,
            r"\.(?:unwrap|expect|iter|into|clone|as_ref|to_string|as_ptr|collect|as_mut_ptr"
            r"|to_owned)(?:::<[^\n>]*>)?\(|\b(?:Ok|Err|Some)\(|\bSelf\b|\b(?:Vec|Option"
            r"|Result|Box|Rc|Arc)<",
        ),
        (
            1.0,
            r"\blet \w+(?:: ?[^\n=]+)? = |\bas (?:u|i)(?:8|16|32|64|size)\b|: (?:u|i)(?:8|16"
            r"|32|64|size)\b|\*(?:mut|const) \w|\w\?;[ \t]*$",
        ),
        (
            1.2,
            r"\bSome\(\w+\) =>|\bNone =>|\bif let \w|\bref mut\b|::(?:new|default|from)\("
            r"|\)\?;[ \t]*$|\(\|[\w, &]*\|",
        ),
        (0.7, r"\) -> [\w<&(*]|=> ?\{?[ \t]*$|\w::\w"),
    ),
    Language.SHELL: clues(
        (-0.7, r";[ \t]*$|[)\w] ?\{[ \t]*$|\w\(\w[^\n]{0,80}\)"),
        (4.0, r"\A#![^\n]*\b(?:ba|z|k|da)?sh\b"),
        (
            1.6,
            r"^[ \t]*(?:fi|done|esac)[ \t]*$|^[ \t]*if \[\[? |; ?(?:then|do)[ \t]*$"
            r"|^[ \t]*then[ \t]*$",
        ),
        (
            1.0,
            r"^[ \t]*(?:\$ )?(?:sudo|apt(?:-get)?|cd|mkdir|chmod|chown|curl|wget|git|pip3?"
            r"|npm|docker|export|echo|grep|sed|awk|rm|cp|mv|ls|cat|source|kubectl|systemctl"
            r"|python3?|ssh|tar|yum|brew)\b [-\w./\"'$~]",
        ),
        (
            0.8,
            r"\"?\$\{?[A-Za-z_1-9@]\w*\}?\"?(?:[ /\"]|$)|\$\(|^[A-Z_]+=[\w\"'$/.]"
            r"| --?[a-z][\w-]*",
        ),
    ),
    Language.SQL: clues(
        (-0.8, r"[)\w] ?\{[ \t]*$|\w\.\w+\(|^[ \t]*(?:def|import|var|const)\b"),
        (
            2.0,
            r"^[ \t]*(?i:select [\w*,.\s\"'`()]{1,200}? from \w|insert into \w"
            r"|update \w+ set |delete from \w)",
        ),
        (
            2.0,
            r"^[ \t]*(?i:(?:create|alter|drop) (?:temporary |unique |or replace )?(?:table"
            r"|index|view|database|function|procedure|trigger)) ",
        ),
        (
            0.8,
            r"^[ \t]*(?i:from|where|join|left join|inner join|group by|order by|values"
            r"|having|limit) ?[\w(`\"]|^--[ \w]",
        ),
        (
            0.6,
            r"\b(?i:primary key|not null|varchar\(|foreign key|references \w+|integer"
            r"|auto_increment)",
        ),
    ),
    Language.HTML: clues(
        (4.0, r"(?i)\A\s*<(?:!|[a-z])"),
        (1.0, r"(?i)<!doctype html|<html\b"),
        (
            0.6,
            r"(?i)</?(?:div|span|body|head|script|form|table|tr|td|ul|li|p|a|h[1-6]|input"
            r"|button|meta|link|title|style|img|br)\b[^\n<>]{0,200}>",
        ),
        (
            -0.6,
            r"^[ \t]*(?:def|import|from|function|public|private|const|var|return|if|for)\b"
            r"|;[ \t]*$",
        ),
    ),
}
"""In the order in which ties are decided."""
