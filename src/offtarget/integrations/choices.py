"""Names out of a closed set, as users write them."""

from enum import StrEnum
from typing import TypeVar

from offtarget.core.errors import ConfigError

Choice = TypeVar("Choice", bound=StrEnum)


def choice(kind: type[Choice], name: str, what: str) -> Choice:
    """Return the member of `kind` called `name`.

    Raises:
        ConfigError: If there is none.
    """
    try:
        return kind(name)
    except ValueError as error:
        known = ", ".join(member.value for member in kind)
        raise ConfigError(f"{what} {name!r} is not known; choose from {known}") from error
