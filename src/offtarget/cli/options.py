"""Which options a user gave, so that none is taken and then ignored."""

import typer

ON_THE_LINE = "COMMANDLINE"
"""Name of the parameter source in typer's copy of click, and in click's own."""


def given_options(ctx: typer.Context) -> dict[str, str]:
    """Return the parameters that stand on the command line by name, each as it is written there."""
    given = {}
    for param in ctx.command.params:
        source = ctx.get_parameter_source(param.name) if param.name else None
        if param.name and source is not None and source.name == ON_THE_LINE:
            given[param.name] = max(param.opts, key=len)
    return given
