"""What every node has to learn whatever the Secretariat does: proven split views, and revocations that the log does not hold yet.

Each proves itself by its bytes, so it is taken from whoever brings it, verified anew by everybody, written down, acted upon and passed
on once. What does not prove itself is refused and counted: a Party that goes on with it is not listened to for an hour.

A split view stops the log key that made it: nothing new is accepted under it until the founders change the key. Existing pairs go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from federation import limits
from federation.boundary.revocation import is_settled, read_kept_revocation, read_revocation
from federation.errors import FederationError, Overloaded, PeerMisbehaviour
from federation.identity import NodeName, PartyId
from federation.ports import Clock, Notice, NoticeKind, NoticeStore
from federation.trust.entries import Revoke
from federation.trust.note import Checkpoint
from federation.trust.split import SplitView, verify_split
from federation.trust.witness import read_statement
from federation.wire.directory import decode_split_view, encode_split_view
from node.use_cases.registry import Registry

logger = logging.getLogger(__name__)

_HOUR_S: Final = 3_600


class Notices:
    """What counts here. Every change passes through `take`.

    Attributes:
        unspread: what was new here and has to be told to others.
        news: set while there is something to be told.
    """

    def __init__(self, registry: Registry, store: NoticeStore, clock: Clock) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._splits: dict[frozenset[bytes], Notice] = {}
        self._revocations: dict[bytes, tuple[Notice, Revoke]] = {}
        self._refused = (0, Counter[PartyId | None]())
        self._taking = asyncio.Lock()
        self._turn = 0
        self.unspread: list[Notice] = []
        self.news = asyncio.Event()

    @classmethod
    async def load(cls, registry: Registry, store: NoticeStore, clock: Clock) -> Notices:
        """Take up what was noticed before. What does not prove itself any more is left where it is and does not count."""
        notices = cls(registry, store, clock)
        for notice in await store.notices():
            try:
                notices._take_up(notice)  # its own maker
            except FederationError as error:
                logger.warning("a notice on the disk does not count", extra={"problem": error.code})
        notices._act()  # as above
        return notices

    def _take_up(self, notice: Notice) -> None:
        match notice.kind:
            case NoticeKind.SPLIT_VIEW:
                self._splits[self._equivocating(decode_split_view(notice.raw))] = notice
            case NoticeKind.REVOCATION:
                revoke = read_kept_revocation(notice.raw)
                self._revocations[_name(revoke)] = notice, revoke

    # --- what comes in ----------------------------------------------------------------------------------------------------------

    async def take(self, sender: NodeName, notice: Notice) -> None:
        """Somebody tells something. Again is harmless.

        Raises:
            PeerMisbehaviour: it does not prove itself.
            Overloaded: this sender has told much that did not, or there is no room.
        """
        refused = self._refused_lately()
        if refused[sender.party] >= limits.NOTICES_REFUSED_PER_HOUR_MAX:
            raise Overloaded("this node has told many things that do not prove themselves", hint="it is heard again in an hour")
        try:
            is_new = await self.learn(notice)
        except PeerMisbehaviour:
            refused[sender.party] += 1
            raise
        if is_new:
            level = logging.ERROR if notice.kind is NoticeKind.SPLIT_VIEW else logging.INFO
            logger.log(level, "told of a %s", notice.kind, extra={"peer": sender.party or "secretariat"})

    def _refused_lately(self) -> Counter[PartyId | None]:
        hour = int(self._clock.now() // _HOUR_S)
        if self._refused[0] != hour:
            self._refused = (hour, Counter())
        return self._refused[1]

    async def learn(self, notice: Notice) -> bool:
        """Verify, write down, act; True when it is new here and is to be passed on.

        Raises:
            PeerMisbehaviour: it does not prove itself.
        """
        async with self._taking:
            if not self._is_new(notice):
                return False
            await self._store.put_notice(notice)
            self._take_up(notice)
            self._act()
        self.unspread.append(notice)
        self.news.set()
        return True

    async def found(self, view: SplitView) -> bool:
        """This node has found a split view by itself."""
        return await self.learn(Notice(kind=NoticeKind.SPLIT_VIEW, raw=encode_split_view(view)))

    def _is_new(self, notice: Notice) -> bool:
        match notice.kind:
            case NoticeKind.SPLIT_VIEW:
                keys = self._equivocating(decode_split_view(notice.raw))
                return not keys <= self._registry.equivocating  # a key is caught once: further proofs show nothing more
            case NoticeKind.REVOCATION:
                kept = read_kept_revocation(notice.raw)
                if _name(kept) in self._revocations or is_settled(kept, self._registry.replica.roster):
                    return False
                read_revocation(notice.raw, self._registry.replica.roster)
                if sum(one.party == kept.party for one in self.revocations) >= limits.REVOCATIONS_PER_PARTY_MAX:
                    raise Overloaded("many revocations of this Party wait for the directory already")
                return True

    def _equivocating(self, view: SplitView) -> frozenset[bytes]:
        """The log key that is caught: the one that signed both histories. Where each has another key, it is the one that was in use
        first: the founders put the other one there, and nobody who stole the old one stops it with a false past.

        Raises:
            Malformed, Unauthentic: it is no proof.
        """
        roster = self._registry.replica.roster
        keys, origin = roster.governance.log_keys, roster.genesis.origin
        verify_split(view, origin=origin, keys=keys)
        older, newer = (
            {one.public_key for one in read_statement(raw, origin=origin, keys=keys)[1]} for raw in (view.older, view.newer)
        )
        first = next(key.public_key for key in keys if key.public_key in older | newer)
        return frozenset(older & newer or {first})

    def _act(self) -> None:
        self._registry.equivocating = frozenset().union(*self._splits)
        self._registry.honour(revoke for _, revoke in self._revocations.values())

    # --- what goes out ----------------------------------------------------------------------------------------------------------

    async def all(self) -> Sequence[Notice]:
        """Everything that counts here, split views first, as much as one reply may hold: of many, others each time."""
        revocations = self.unlogged
        self._turn = (self._turn + limits.NOTICES_PER_REPLY_MAX // 2) % max(1, len(revocations))
        notices = (*self._splits.values(), *revocations[self._turn :], *revocations[: self._turn])
        room, given = limits.NOTICES_BYTES_MAX, []
        for notice in notices[: limits.NOTICES_PER_REPLY_MAX]:
            room -= len(notice.raw)
            if room < 0:
                break
            given.append(notice)
        return given

    async def settle(self) -> None:
        """Let go of revocations that the log holds by now."""
        for name, (notice, revoke) in list(self._revocations.items()):
            if is_settled(revoke, self._registry.replica.roster):
                await self._store.drop_notice(notice)
                self._revocations.pop(name, None)

    @property
    def splits(self) -> tuple[tuple[Checkpoint, Checkpoint], ...]:
        """The proven split views: of each the older and the newer checkpoint."""
        roster = self._registry.replica.roster
        keys, origin = roster.governance.log_keys, roster.genesis.origin
        views = [decode_split_view(notice.raw) for notice in self._splits.values()]
        return tuple(verify_split(view, origin=origin, keys=keys) for view in views)

    @property
    def proofs(self) -> tuple[bytes, ...]:
        """The encoded split views, for a file that goes to those who have no node."""
        return tuple(notice.raw for notice in self._splits.values())

    @property
    def unlogged(self) -> tuple[Notice, ...]:
        """The revocations that the log does not hold, as they came."""
        return tuple(notice for notice, _ in self._revocations.values())

    @property
    def revocations(self) -> tuple[Revoke, ...]:
        """Those that lie over the roster because the log does not hold them."""
        return tuple(revoke for _, revoke in self._revocations.values())


def _name(revoke: Revoke) -> bytes:
    """What is revoked, however often and in whatever words it is said."""
    return sha256(f"{revoke.party}/{revoke.kind}/".encode() + revoke.id).digest()
