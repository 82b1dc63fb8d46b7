"""Broken stretches inside a statement that is read otherwise."""

from ast_grep_py import SgNode


def lost_in(statement: SgNode) -> list[SgNode]:
    """Return the outermost broken stretches of a statement, but not those in its bodies."""
    lost: list[SgNode] = []
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        for child in node.children():
            kind = child.kind()
            if kind == "ERROR":
                lost.append(child)
            elif kind != "block":
                waiting.append(child)
    return sorted(lost, key=lambda node: node.range().start.index)
