"""What was seen before: the rule that makes a retry harmless and a forged repetition visible.

The table is keyed by sender and message id and remembers the statement's hash for the whole retention (docs/protocol.md,
"Delivery").
"""

from __future__ import annotations

from dataclasses import dataclass

from federation.errors import Replayed
from federation.identity import MessageId, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMark:
    """One message that was accepted: who sent it, its id, and the SHA-256 of its statement."""

    sender: PartyId
    message_id: MessageId
    statement_hash: bytes


def check_repetition(*, known: ReplayMark, incoming: ReplayMark) -> None:
    """A repetition of the same statement is a retry and gets the same receipt.

    Raises:
        Replayed: the id was used before for something else.
    """
    if known != incoming:
        raise Replayed("a message id came again with another statement")
