"""The number of a record file's layout, checked before anything else in it is believed."""

from collections.abc import Mapping

from offtarget.core.errors import VerifyError


def check_schema(name: str, record: object, known: int) -> None:
    """Raise VerifyError unless a record says that it has the layout that this version reads.

    Args:
        name: What errors call the file.
        record: Its content as plain values.
        known: Number of the layout that this version reads.

    Raises:
        VerifyError: If the record has no `schema`, or another one.
    """
    schema = record.get("schema") if isinstance(record, Mapping) else None
    if isinstance(schema, bool) or not isinstance(schema, int):
        raise VerifyError(
            f"{name}: schema is {str(schema)[:40]!r}, not a whole number; restore it from a copy"
        )
    if schema == known:
        return
    what, to_do = "newer", "upgrade offtarget"
    if schema < known:
        what = "older"
        to_do = "verify with the version that made the run, or make it again with another --out"
    raise VerifyError(
        f"{name}: schema {schema} is {what} than this version reads ({known}); {to_do}"
    )
