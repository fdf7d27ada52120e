"""Which way something crosses."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """Seen from this node."""

    SENT = "sent"
    RECEIVED = "received"
