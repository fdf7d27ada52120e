"""The library file: the directory log and the pattern sets that it pins, as bytes. Whether they belong together is asked in
`federation.boundary.library`.
"""

from __future__ import annotations

from dataclasses import dataclass

from federation import limits
from federation.errors import Malformed, Oversized
from federation.v1 import library_pb2
from federation.wire.strict import at_most, encode, parse, total


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFile:
    """What the file holds.

    Attributes:
        leaves: the directory log from its first entry.
        checkpoint: a signed note over them.
        sets: encoded pattern sets, in the order of their Parties.
    """

    leaves: tuple[bytes, ...]
    checkpoint: bytes
    sets: tuple[bytes, ...]


def encode_library_file(file: LibraryFile) -> bytes:
    """The bytes of the file.

    Raises:
        Oversized: more than LIBRARY_FILE_BYTES_MAX.
    """
    raw = encode(library_pb2.LibraryFile(leaves=file.leaves, checkpoint=file.checkpoint, sets=file.sets))
    if len(raw) > limits.LIBRARY_FILE_BYTES_MAX:
        raise Oversized(f"a library of {len(raw)} bytes; a file has at most {limits.LIBRARY_FILE_BYTES_MAX}")
    return raw


@total
def decode_library_file(raw: bytes) -> LibraryFile:
    """Read a file; nothing in it is believed yet."""
    message = parse(library_pb2.LibraryFile, raw, bytes_max=limits.LIBRARY_FILE_BYTES_MAX)
    at_most(len(message.sets), limits.PARTIES_MAX, "pattern sets")
    if not message.leaves:
        raise Malformed("a library without a directory log")
    return LibraryFile(leaves=tuple(message.leaves), checkpoint=message.checkpoint, sets=tuple(message.sets))
