"""The Inspect library, which is an extra: imported when first needed."""

from offtarget.core.errors import ResourceError


def require_inspect() -> None:
    """Import what reads and writes logs.

    Raises:
        ResourceError: If Inspect is not installed, or is broken.
    """
    try:
        import inspect_ai.log  # noqa: F401
    except ImportError as error:
        raise ResourceError(
            f"Inspect is missing or broken ({error}); run: pip install 'offtarget[inspect]'"
        ) from error
