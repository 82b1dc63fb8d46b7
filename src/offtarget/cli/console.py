"""What all commands share: exit codes, errors as one line, and what the terminal can show."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from offtarget.core.errors import OfftargetError

EXIT_BAD_INPUT = 2
EXIT_INTERNAL = 3
EXIT_INCONCLUSIVE = 4
EXIT_STOPPED = 130
STOPPED = "stopped; run the same command again to go on from here"
USAGE_ERROR: type[Exception] = next(
    one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"
)
"""Base of what a wrong command line raises; typer brings its own copy of click."""
CACHE = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()


def guard(run: Callable[[], object]) -> int:
    """Call `run`; return its exit code, having printed any error as one line."""
    from offtarget.report.text import safe_text

    try:
        code = run()
    except OfftargetError as error:
        return fail(safe_text(str(error)), EXIT_BAD_INPUT)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{error}\n")
            return EXIT_BAD_INPUT
        told = getattr(error, "format_message", error.__str__)()  # names the option
        text = " ".join(told.split()).rstrip(".")
        return fail(f"{safe_text(text)}; see offtarget --help", EXIT_BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        return fail(STOPPED, EXIT_STOPPED)
    except MemoryError:
        return fail(
            "out of memory; use a smaller model, train.batch_size or --rows, and run again",
            EXIT_BAD_INPUT,
        )
    except BrokenPipeError:
        return 0
    except Exception as error:
        if os.environ.get("OFFTARGET_TRACEBACK"):
            raise
        return fail(
            f"internal error: {type(error).__name__}: {safe_text(str(error))[:500]}; "
            "set OFFTARGET_TRACEBACK=1 for the trace and report it as an issue",
            EXIT_INTERNAL,
        )
    if code == EXIT_STOPPED:  # typer turns Ctrl-C into this code
        return fail(STOPPED, EXIT_STOPPED)
    return code if isinstance(code, int) else 0


def is_ascii() -> bool:
    """Return whether standard output can show ASCII only."""
    return "utf" not in (sys.stdout.encoding or "").lower()


def width() -> int:
    """Return the columns that a page of text may take."""
    import shutil

    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))


def fail(message: str, code: int) -> int:
    """Say what went wrong on stderr; return the exit code."""
    sys.stderr.write(f"offtarget: {message}\n")
    return code


def say(text: str) -> None:
    """Write text to stdout, whatever its encoding lacks."""
    stream = sys.stdout
    data = text.rstrip("\n") + "\n"
    stream.write(
        data.encode(stream.encoding or "utf-8", "replace").decode(stream.encoding or "utf-8")
    )
