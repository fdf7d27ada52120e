"""The mark of a home that was put back from a backup: `restored.json`, written by `gsp restore`, read by the node that starts there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import msgspec

from federation import limits
from federation.errors import InvalidConfiguration, StoreUnavailable

NAME: Final = "restored.json"
_BYTES_MAX: Final = 4_096

Seconds = Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_S_MAX)]


class Restored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times in Unix seconds.

    Attributes:
        at: when it was put back; it names the epoch of the journal that begins there.
        taken: when the backup was made.
        agreed: when enough other Parties' nodes held the same directory as this one; None before.
    """

    at: Annotated[int, msgspec.Meta(ge=2, le=limits.TIME_S_MAX)]
    taken: Seconds
    agreed: Seconds | None = None


def read_mark(home: Path) -> Restored | None:
    """The mark in the folder; None for a home that was never put back.

    Raises:
        InvalidConfiguration: there is one that cannot be read.
    """
    path = home / NAME
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_BYTES_MAX), type=Restored)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(
            f"{path} cannot be read", hint="put the backup back once more, into an empty folder; do not delete the file"
        ) from error


def write_mark(home: Path, mark: Restored) -> None:
    """Write the mark, whole or not at all; durable on return.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    draft = home / f"{NAME}.draft"
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(msgspec.json.encode(mark) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(home / NAME)
    except OSError as error:
        raise StoreUnavailable(f"{home / NAME} cannot be written: {error.strerror}") from error
