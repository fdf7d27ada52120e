"""A whole directory log, as somebody shows it: its newest checkpoint and all its leaves. Nothing in it is believed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCopy:
    """What a file, a folder or a node gives to whoever verifies the log from nothing.

    Attributes:
        checkpoint: signed note.
        leaves: from the genesis entry on.
    """

    checkpoint: bytes
    leaves: tuple[bytes, ...]
