"""Our own rules for Python: one walk over the syntax tree, with the data's way through it."""

from offtarget.codescan.python.engine import PythonEngine

__all__ = ["PythonEngine"]
