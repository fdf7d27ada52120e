"""The file of `gsp directory export`: a whole log, to be verified by whoever has it."""

from __future__ import annotations

from typing import Final

from federation import limits
from federation.errors import Incompatible, Malformed, Oversized
from federation.trust.log_copy import LogCopy
from federation.v1 import log_copy_pb2
from federation.wire.strict import encode, parse, total

LOG_COPY_VERSION: Final = 1


def encode_log_copy(copy: LogCopy) -> bytes:
    """The file."""
    return encode(log_copy_pb2.LogCopy(version=LOG_COPY_VERSION, checkpoint=copy.checkpoint, leaves=copy.leaves))


@total
def decode_log_copy(raw: bytes) -> LogCopy:
    """Take the file apart; nothing in it is believed yet.

    Raises:
        Incompatible: made by another version.
        Malformed: anything else that is wrong.
    """
    message = parse(log_copy_pb2.LogCopy, raw, bytes_max=limits.DIRECTORY_BYTES_MAX)
    if message.version != LOG_COPY_VERSION:
        raise Incompatible(f"a copy of a log of version {message.version}; this program reads {LOG_COPY_VERSION}")
    if len(message.checkpoint) > limits.CHECKPOINT_BYTES_MAX:
        raise Oversized("a checkpoint is too long")
    if not message.leaves or not all(message.leaves):
        raise Malformed("a copy of a log has leaves, and none of them is empty")
    if max(map(len, message.leaves)) > limits.ENTRY_BYTES_MAX:
        raise Oversized("a directory entry is too long")
    return LogCopy(checkpoint=message.checkpoint, leaves=tuple(message.leaves))
