"""Where the codes of a command come from: typed or scanned as arguments, or read from a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from federation import limits
from federation.errors import FederationError, InvalidInput
from federation.uim.scan import read_scan

if TYPE_CHECKING:
    from node.formats.pictures import Findings


def gather(codes: Sequence[str], image: Path | None) -> tuple[str, ...]:
    """All scans that were given, each once.

    Raises:
        InvalidInput: there are none.
        InvalidScan, Oversized: one cannot be read; the message says which.
    """
    scans = tuple(dict.fromkeys((*codes, *(_from_picture(image) if image is not None else ()))))
    if not scans:
        raise InvalidInput("there is no code", hint="give the code as it was scanned or typed, or a picture with --image")
    if len(scans) > limits.CODES_PER_QUERY_MAX:
        raise InvalidInput(f"more than {limits.CODES_PER_QUERY_MAX} codes at once", hint="split the seizure")
    for number, scan in enumerate(scans, 1):
        try:
            read_scan(scan)
        except FederationError as error:
            where = f"code {number} of {len(scans)}: " if len(scans) > 1 else ""
            raise type(error)(f"{where}{error.message}", hint=error.hint) from None
    return scans


def look_at_file(path: Path) -> Findings:
    """Every symbol in a picture file. No more of it is read than a picture may have.

    Raises:
        Oversized, InvalidInput: it is no picture that can be looked at.
    """
    from node.formats.pictures import look_at_picture  # noqa: PLC0415  # loads three image libraries: other commands need none

    return look_at_picture(_bytes(path))


def _from_picture(path: Path) -> tuple[str, ...]:
    from node.formats.pictures import read_picture  # noqa: PLC0415  # loads three image libraries: other commands need none

    return tuple(reading.scan for reading in read_picture(_bytes(path)))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(limits.PICTURE_BYTES_MAX + 1)
