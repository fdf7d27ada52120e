"""Messages that are what they say, and over which this node fails: a defect of ours, found by somebody's message.

Such a message gets no receipt, for nothing was done with it; and it is refused in a way that its sender understands, so that it is not
tried for ever. The operator sees that it came and where the program failed. It is tried once more after each start of the node, when
it comes again: another program may do better.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from federation.boundary.messages import Arrived
from federation.errors import FederationError, Misuse, Unprocessable
from federation.identity import MessageId, PartyId
from federation.ports import ArrivalStore, Change, ExchangeStore, Poison
from node import limits as node_limits
from node.use_cases.world import World

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Poisons:
    """Stands around what is done with a message from outside."""

    def __init__(self, *, store: ExchangeStore, arrivals: ArrivalStore, world: World, version: str) -> None:
        self._store = store
        self._arrivals = arrivals
        self._world = world
        self._version = version
        self._failed: dict[tuple[PartyId, MessageId], bytes] = {}
        self._told: set[tuple[PartyId, MessageId]] | None = None

    async def guard(self, arrived: Arrived, take: Callable[[], Awaitable[Result]]) -> Result:
        """Take a message whose node signature is right.

        Raises:
            Unprocessable: this node failed over it, now or before.
            FederationError: whatever else `take` says of it.
        """
        sender = arrived.header.sender.party
        if sender is None:
            return await take()
        place = (sender, arrived.header.message_id)
        if self._failed.get(place) == arrived.digest:
            raise Unprocessable("this node has failed over this message before")
        try:
            taken = await take()
        except Exception as error:
            if isinstance(error, FederationError) and not isinstance(error, Misuse):
                raise
            await self._write(place, arrived.digest, error)
            raise Unprocessable("this node failed over a message that is what it says") from error
        self._failed.pop(place, None)
        told = await self._told_of()
        if place in told:
            await self._store.commit(Change(poisons_done=(place,)))
            told.discard(place)
        return taken

    async def _told_of(self) -> set[tuple[PartyId, MessageId]]:
        """The messages that the operator is told of. They are few, and nobody else writes them."""
        if self._told is None:
            known = await self._arrivals.poisons(rows=node_limits.POISONS_MAX)
            self._told = {(poison.peer, poison.message_id) for poison in known}
        return self._told

    async def _write(self, place: tuple[PartyId, MessageId], digest: bytes, error: Exception) -> None:
        log_failure("a message", place[0], error)
        known = await self._arrivals.poison(*place)
        if known is None and len(await self._arrivals.poisons(rows=node_limits.POISONS_MAX)) >= node_limits.POISONS_MAX:
            return  # it is refused all the same; the ones before say what is wrong
        poison = Poison(
            peer=place[0],
            message_id=place[1],
            digest=digest,
            reason=place_of(error),
            version=self._version,
            since=known.since if known is not None else self._world.now(),
            times=known.times + 1 if known is not None else 1,
        )
        (await self._told_of()).add(place)
        await self._store.commit(Change(poisons=(poison,)))
        self._failed[place] = digest
        if len(self._failed) > node_limits.POISONS_MAX:
            del self._failed[next(iter(self._failed))]


def log_failure(what: str, peer: PartyId, error: Exception) -> None:
    """Say where the program failed, for the log."""
    logger.error("%s could not be taken: %s", what, place_of(error), extra={"peer": peer})


def place_of(error: Exception) -> str:
    """Where a program failed, and nothing of what the exception says: there may be a code or a person in it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__qualname__}{where}"
