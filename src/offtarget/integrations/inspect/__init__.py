"""offtarget inside Inspect: tasks, solvers, scorers, metrics and a model provider.

Inspect finds them through the entry point `offtarget.integrations.inspect.registry`; needs the
extra `inspect`.
"""
