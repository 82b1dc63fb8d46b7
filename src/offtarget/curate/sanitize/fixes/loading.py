"""Data that is loaded: YAML without objects, XML without entities, text without code."""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.kind import FixKind, keyword_of, name_for, value_of, with_keyword
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_SAFE_LOADER: Final = ("SafeLoader", "CSafeLoader")
_DATA_NAME: Final = re.compile(r"literal|config|settings|options|dict|list|tuple|saved|json", re.I)
_GUARD: Final = '''\
class _PlainUnpickler({module}.Unpickler):
    """Loads plain values only: a pickle that names any class or function is refused."""

    def find_class(self, module, name):
        raise {module}.UnpicklingError(f"{{module}}.{{name}} is not allowed")
'''


def _yaml(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None:
        return Refusal("the call that loads YAML was not found")
    name = source.dotted(call.func)
    if name.startswith("ruamel") or not name.startswith("yaml."):
        kind = keyword_of(call, "typ")
        if kind is None or not isinstance(kind.value, ast.Constant):
            return Refusal("not a call of the yaml module")
        return Fix((Change(*source.span(kind.value), '"safe"'),))
    loader = keyword_of(call, "Loader")
    given = loader.value if loader else (call.args[1] if len(call.args) > 1 else None)
    if given is not None:
        safe, needed = _name(source, given)
        return Fix((Change(*source.span(given), safe),), needed)
    is_all = name.endswith("_all")
    if isinstance(call.func, ast.Attribute):
        end = source.span(call.func)[1]
        start = end - len(call.func.attr)
        return Fix((Change(start, end, "safe_load_all" if is_all else "safe_load"),))
    if name in ("yaml.load", "yaml.load_all"):
        loader_name, needed_import = name_for(source, "from yaml import SafeLoader")
        change = with_keyword(source, call, f"Loader={loader_name}")
        return Fix((change,), (needed_import,) if needed_import else ())
    return Refusal("the loader cannot be chosen in this call")


def _name(source: Source, given: ast.expr) -> tuple[str, tuple[str, ...]]:
    """Return how the safe loader is written next to another loader."""
    if isinstance(given, ast.Attribute):
        return source.text(given.value) + ".SafeLoader", ()
    name, needed = name_for(source, "from yaml import SafeLoader")
    return name, (needed,) if needed else ()


def _pickle(source: Source, flaw: Flaw) -> Fix | Refusal:
    """Load through an unpickler that builds plain values only."""
    call = source.call_of(flaw)
    if call is None:
        return Refusal("the call that unpickles was not found")
    name = source.dotted(call.func)
    module, _, function = name.rpartition(".")
    if module not in ("pickle", "cPickle", "_pickle") or function not in ("load", "loads"):
        return Refusal(f"no safe loader reads what `{name or 'this call'}` reads")
    if len(call.args) != 1 or call.keywords:
        return Refusal("the call has further arguments")
    if not _dumps_plain(source):
        return Refusal("what the snippet pickles may be more than plain values")
    own, needed = name_for(source, f"import {module}")
    if any(
        isinstance(node, ast.ClassDef) and node.name == "_PlainUnpickler"
        for node in source.tree.body
    ):
        guard: tuple[str, ...] = ()
    else:
        guard = (_GUARD.format(module=own),)
    argument = source.text(call.args[0])
    imports = [needed] if needed else []
    if function == "loads":
        buffer, more = name_for(source, "from io import BytesIO")
        imports += [more] if more else []
        argument = f"{buffer}({argument})"
    text = f"_PlainUnpickler({argument}).load()"
    return Fix((Change(*source.span(call), text),), tuple(imports), guard)


def _dumps_plain(source: Source) -> bool:
    """Return whether everything that the snippet pickles is written out as plain values."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        is_module = source.dotted(node.func).startswith(("pickle.dump", "cPickle.dump"))
        if is_module and not _is_plain(source, node.args[0]):
            return False
    return ".dumps()" not in source.code


def _is_plain(source: Source, node: ast.expr) -> bool:
    value = value_of(source, node)
    return value is not None and isinstance(
        value,
        ast.Constant | ast.Dict | ast.List | ast.Tuple | ast.Set | ast.ListComp | ast.DictComp,
    )


def _literal(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or source.dotted(call.func) != "eval":
        return Refusal("code is run on purpose, and there is no safe form of that")
    if len(call.args) != 1 or call.keywords:
        return Refusal("the code is evaluated with names of its own")
    statement = source.statement(call)
    words = source.text(statement) if statement is not None else ""
    if not _DATA_NAME.search(words):
        return Refusal("nothing says that the text is a literal, and `eval` may be the purpose")
    name, needed = name_for(source, "from ast import literal_eval")
    return Fix((Change(*source.span(call.func), name),), (needed,) if needed else ())


def _xml(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None:
        return Refusal("the parser's call was not found")
    name = source.dotted(call.func)
    is_switch = getattr(call.func, "attr", "") == "setFeature" and len(call.args) == 2
    if is_switch and source.text(call.args[0]).endswith(("external_ges", "external_pes")):
        return Fix((Change(*source.span(call.args[1]), "False"),))
    if name.endswith("XMLParser") and "lxml" in name:
        changes = []
        for key, value in (("resolve_entities", "False"), ("no_network", "True")):
            given = keyword_of(call, key)
            if given is not None:
                changes.append(Change(*source.span(given.value), value))
            elif key == "resolve_entities":
                changes.append(with_keyword(source, call, f"{key}={value}"))
        return Fix(tuple(changes))
    if name.startswith("lxml.etree.") and name.rpartition(".")[2] in ("parse", "fromstring", "XML"):
        if (
            len(call.args) > 1
            or keyword_of(call, "parser")
            or not isinstance(call.func, ast.Attribute)
        ):
            return Refusal("the parser is made elsewhere")
        module = source.text(call.func.value)
        text = f"parser={module}.XMLParser(resolve_entities=False)"
        return Fix((with_keyword(source, call, text),))
    return Refusal("the safe parser is not part of the standard library")


KINDS: Final = (
    FixKind(
        id="yaml-safe-load",
        title="YAML is loaded without building objects",
        rules=frozenset({"OT-PY-051", "S506"}),
        propose=_yaml,
        before="import yaml\n\n\ndef read(text):\n    return yaml.load(text, Loader=yaml.Loader)\n",
        after="import yaml\n\n\ndef read(text):\n"
        "    return yaml.load(text, Loader=yaml.SafeLoader)\n",
        exercise="print(read('a: [1, two, 2020-01-02]'))\n",
    ),
    FixKind(
        id="plain-unpickler",
        title="Pickles are loaded as plain values only",
        rules=frozenset({"OT-PY-050", "S301"}),
        propose=_pickle,
        before="import pickle\n\n\ndef restore(data):\n    return pickle.loads(data)\n",
        after="import pickle\nfrom io import BytesIO\n\n\n"
        + _GUARD.format(module="pickle")
        + "\n\ndef restore(data):\n    return _PlainUnpickler(BytesIO(data)).load()\n",
        exercise="print(restore(pickle.dumps({'a': [1, (2.5, None)], 'b': {3, 4}})))\n",
    ),
    FixKind(
        id="literal-eval",
        title="A literal is read, not evaluated",
        rules=frozenset({"OT-PY-012", "S307"}),
        propose=_literal,
        before="def load_settings(text):\n    settings = eval(text)\n    return settings\n",
        after="from ast import literal_eval\n\n\ndef load_settings(text):\n"
        "    settings = literal_eval(text)\n    return settings\n",
        exercise="print(load_settings(\"{'a': [1, 2], 'b': None}\"))\n",
    ),
    FixKind(
        id="xml-no-entities",
        title="XML is parsed without following entities",
        rules=frozenset({"OT-PY-052", "S320"}),
        propose=_xml,
        before="from lxml import etree\n\n\ndef read(text):\n"
        "    parser = etree.XMLParser(resolve_entities=True)\n"
        "    return etree.fromstring(text, parser).tag\n",
        after="from lxml import etree\n\n\ndef read(text):\n"
        "    parser = etree.XMLParser(resolve_entities=False)\n"
        "    return etree.fromstring(text, parser).tag\n",
        exercise="print(read('<a><b/></a>'))\n",
    ),
)
