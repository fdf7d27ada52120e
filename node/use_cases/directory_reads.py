"""Reads of the directory log, which every node serves from its replica; entries and cosignatures go to the Secretariat alone.

Whoever reads gets what enough witnesses have cosigned, and with it the cosignatures that show it.
"""

from __future__ import annotations

from collections.abc import Sequence

from federation import limits
from federation.errors import Forbidden, InvalidInput
from federation.identity import NodeName
from node.use_cases.registry import Registry


class DirectoryReads:
    """What the Directory servicer of a Party's node calls."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def checkpoint(self) -> bytes:
        """The newest accepted checkpoint with its cosignatures."""
        return self._registry.replica.note

    async def pending(self) -> bytes:
        """Not here."""
        raise Forbidden("only the Secretariat's node has checkpoints that wait for witnesses", hint="ask it there")

    async def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Leaves from start, as many as one reply may hold."""
        self._check(start, end)
        leaves = await self._registry.store.leaves(start, min(end, start + limits.ENTRIES_PER_REPLY_MAX))
        return _within(leaves, limits.DIRECTORY_REPLY_BYTES_MAX)

    async def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """RFC 6962 consistency proof."""
        self._check(old_size, new_size)
        return await self._registry.store.consistency(old_size, new_size)

    async def inclusion(self, index: int, size: int) -> Sequence[bytes]:
        """RFC 6962 inclusion proof."""
        self._check(index, size)
        return await self._registry.store.inclusion(index, size)

    async def submit(self, sender: NodeName, leaf: bytes) -> int:
        """Not here."""
        del sender, leaf
        raise Forbidden("only the Secretariat's node takes entries", hint="submit it there")

    async def cosign(self, sender: NodeName, checkpoint: bytes) -> None:
        """Not here."""
        del sender, checkpoint
        raise Forbidden("only the Secretariat's node takes cosignatures", hint="send it there")

    def _size(self) -> int:
        """How much of the log may be read here."""
        return self._registry.replica.frontier.size

    def _check(self, lower: int, upper: int) -> None:
        if not 0 <= lower <= upper <= self._size():
            raise InvalidInput("the log has no such part", hint="read the checkpoint first: it says how long the log is")


def _within(leaves: Sequence[bytes], bytes_max: int) -> Sequence[bytes]:
    """As many leaves from the start as fit, and at least one: the caller asks again for the rest."""
    total = 0
    for count, leaf in enumerate(leaves):
        total += len(leaf)
        if total > bytes_max and count > 0:
            return leaves[:count]
    return leaves
