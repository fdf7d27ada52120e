"""What this node has heard and not looked into yet: checkpoints of others that are not ours, and revocations on their way.

Ordinary traffic brings both, and must not wait for them. `gossip` takes them from here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from federation import limits
from federation.identity import PartyId


class Hearsay:
    """Bounded: the newest checkpoint of each teller, and each revocation once.

    Attributes:
        news: set while there is something to look into.
    """

    def __init__(self) -> None:
        self._checkpoints: OrderedDict[PartyId | None, bytes] = OrderedDict()
        self._revocations: OrderedDict[bytes, None] = OrderedDict()
        self.news = asyncio.Event()

    def checkpoint(self, raw: bytes, teller: PartyId | None) -> None:
        """Somebody showed this checkpoint; None stands for the Secretariat."""
        self._checkpoints[teller] = raw
        if len(self._checkpoints) > limits.HEARSAY_MAX:
            self._checkpoints.popitem(last=False)
        self.news.set()

    def revocation(self, leaf: bytes) -> None:
        """A leaf that revokes something turned up in entries that were not accepted."""
        self._revocations[leaf] = None
        if len(self._revocations) > limits.HEARSAY_MAX:
            self._revocations.popitem(last=False)
        self.news.set()

    def take(self) -> tuple[list[tuple[PartyId | None, bytes]], list[bytes]]:
        """All of it; nothing stays here."""
        taken = list(self._checkpoints.items()), list(self._revocations)
        self._checkpoints.clear()
        self._revocations.clear()
        self.news.clear()
        return taken
