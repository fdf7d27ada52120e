"""Gossip: what others show is held against what this node has accepted, and what must be known by all is passed on.

Theory of operation. Every envelope carries its sender's newest checkpoint. One that is ours, or was ours, says nothing new. Any other
is looked into here, whatever its size:

    smaller   our own tree says which root it had at that size
    equal     the roots are compared
    larger    this node follows the log; when that does not lead there, the teller has to show that its log continues ours, by a
              consistency proof; when it cannot, its entries are read and the tree is computed from them

Two statements of the log that cannot both be true become a proof that anybody can verify (`federation.trust.split`). A teller that
shows entries which do not lead to its checkpoint has proven nothing, so that nobody is framed. A checkpoint under a log key that is not
known here is looked at again after following: the founders may have changed the key.

A proof or a revocation that is new here goes to every node once, the Secretariat's included; whoever was away asks when it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from federation import limits
from federation.boundary.directory import read_checkpoint
from federation.errors import FederationError, Unauthentic
from federation.identity import PartyId
from federation.ports import DirectoryService, Entropy, Notice, NoticeKind, NoticeService, Peer
from federation.trust import merkle
from federation.trust.merkle import Frontier
from federation.trust.note import Checkpoint
from federation.trust.roster import Roster
from federation.trust.split import SplitView, split_view
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry, read_entries

logger = logging.getLogger(__name__)

PEERS_ASKED: Final = 3
"""Peers whose directory is read while the Secretariat does not answer, each time: enough not to depend on one that is behind."""
TOLD_AT_ONCE: Final = 16
"""Peers that are told something at the same time: enough that all know in seconds, and no flood of handshakes."""
PULL_S: Final = 3_600.0
"""How often some peer is asked for its notices: whoever was away when all were told learns of it within the hour."""
LOOK_PAUSE_S: Final = 1.0
"""The least time between two rounds: whoever sends strange checkpoints makes this node look at them once a second, all together."""

LOOK_AGAIN_S: Final = 600.0
"""How long a statement that leads nowhere is left alone: its teller may have been behind, or may want to keep this node busy."""

_SOME_KEY: Final = (0, b"a log key that is not known here")
"""Stands for all checkpoints of one teller under keys that are not known here: it could make up a new one for each envelope."""


class Gossip:
    """One node's part in it."""

    def __init__(
        self,
        *,
        own: PartyId,
        entropy: Entropy,
        registry: Registry,
        notices: Notices,
        directory: DirectoryService,
        telling: NoticeService,
        secretariat: Peer | None,
    ) -> None:
        self._own = own
        self._entropy = entropy
        self._registry = registry
        self._notices = notices
        self._directory = directory
        self._telling = telling
        self._at_origin = secretariat
        self._looked: OrderedDict[tuple[Peer | None, tuple[int, bytes]], float] = OrderedDict()

    @property
    def _secretariat(self) -> Peer | None:
        return self._registry.anchored(self._at_origin) if self._at_origin is not None else None

    async def run(self) -> None:
        """Look into what is heard, tell what is new, and ask now and then, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_for_ever())
            group.create_task(self._tell_for_ever())
            group.create_task(self._pull_for_ever())

    async def _look_for_ever(self) -> None:
        while True:
            await self._registry.hearsay.news.wait()
            await self.look()
            await asyncio.sleep(LOOK_PAUSE_S)

    async def _tell_for_ever(self) -> None:
        while True:
            await self._notices.news.wait()
            await self.tell()

    async def _pull_for_ever(self) -> None:
        while True:
            for peer in some(peers_of(self._registry, self._own), self._entropy):
                await self.pull(peer)
            await self.submit_revocations()
            await asyncio.sleep(PULL_S)

    # --- looking ----------------------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Look into everything that was heard by now. One thing that fails keeps nothing else from being looked at."""
        checkpoints, revocations = self._registry.hearsay.take()
        for leaf in revocations:
            await self._learn(Notice(kind=NoticeKind.REVOCATION, raw=leaf))
        for teller, raw in checkpoints:
            try:
                await self._look_into(raw, teller)
            except FederationError as error:
                logger.info("a checkpoint cannot be looked into", extra={"peer": teller or "secretariat", "problem": error.code})

    async def _learn(self, notice: Notice) -> None:
        try:
            await self._notices.learn(notice)
        except FederationError as error:
            logger.info("a notice does not count", extra={"problem": error.code})

    async def _look_into(self, raw: bytes, teller: PartyId | None) -> None:
        peer = self._teller(teller)
        try:
            told, _ = read_checkpoint(self._registry.replica.roster, raw)
        except Unauthentic:
            if not self._is_due(peer, _SOME_KEY):
                return
            await self._follow(peer)  # the log key may have changed
            told, _ = read_checkpoint(self._registry.replica.roster, raw)
        if told.size > self._registry.replica.frontier.size:
            await self._follow(peer)
        view = await self._contradiction(raw, told, peer)
        if view is None:
            return
        if await self._notices.found(view):
            logger.error("the log key has signed two directories", extra={"peer": teller or "secretariat", "size": told.size})

    def _teller(self, teller: PartyId | None) -> Peer | None:
        """The node to ask. Our own earlier word is asked of nobody."""
        if teller is None:
            return self._secretariat
        try:
            return self._registry.peer(teller) if teller != self._own else None
        except FederationError:
            return None

    async def _follow(self, teller: Peer | None) -> None:
        for source in dict.fromkeys(one for one in (self._secretariat, teller) if one is not None):
            try:
                if await self._registry.follow(self._directory, source):
                    return
            except FederationError as error:
                logger.info("no directory that goes on", extra={"peer": source.name.dns, "problem": error.code})

    async def _contradiction(self, raw: bytes, told: Checkpoint, teller: Peer | None) -> SplitView | None:
        own = self._registry.replica.frontier
        if told.size > own.size:
            return await self._beyond(raw, told, teller)
        if told.size == own.size:
            view = split_view(self._registry.head, raw, read_node=_no_node)
        else:
            view = await self._earlier(raw, told, own)
        if view is None:
            self._registry.agree(told.size, told.root)
        return view

    async def _earlier(self, raw: bytes, told: Checkpoint, own: Frontier) -> SplitView | None:
        """A checkpoint of a smaller log: our own tree says whether it was ours."""
        if told.size == 0:
            return None  # every log continues the empty one
        hashes = await self._registry.store.consistency(told.size, own.size)
        try:
            merkle.verify_consistency(
                old_size=told.size, old_root=told.root, new_size=own.size, new_root=own.root(), proof=hashes
            )
        except Unauthentic:
            root = await self._registry.root_at(told.size)
            return SplitView(older=raw, newer=self._registry.head, root=root, hashes=hashes)
        return None

    async def _beyond(self, raw: bytes, told: Checkpoint, teller: Peer | None) -> SplitView | None:
        """A checkpoint that following does not lead to: the teller has to show that it continues ours."""
        if teller is None or not self._is_due(teller, (told.size, told.root)):
            return None
        head, own = self._registry.head, self._registry.replica.frontier
        try:
            proof = await self._directory.consistency(teller, own.size, told.size)
            merkle.verify_consistency(old_size=own.size, old_root=own.root(), new_size=told.size, new_root=told.root, proof=proof)
        except FederationError as error:
            logger.warning("a peer does not show that its directory continues ours", extra={"problem": error.code})
            tree = _Tree(await read_entries(self._directory, teller, start=0, end=told.size))
            if tree.root() != told.root:
                raise Unauthentic("a peer shows entries that do not lead to its checkpoint") from error
            return split_view(head, raw, read_node=tree.read_node)
        return None

    def _is_due(self, teller: Peer | None, what: tuple[int, bytes]) -> bool:
        """Whether this statement of this teller was not looked into lately: reading a whole log costs more than sending an envelope."""
        key, now = (teller, what), asyncio.get_running_loop().time()
        if self._looked.get(key, -LOOK_AGAIN_S) + LOOK_AGAIN_S > now:
            return False
        self._looked[key] = now
        if len(self._looked) > limits.HEARSAY_MAX:
            self._looked.popitem(last=False)
        return True

    # --- telling ----------------------------------------------------------------------------------------------------------------

    async def tell(self) -> None:
        """Tell everybody what is new here. Whoever does not answer now asks when it is back."""
        unspread, self._notices.unspread = self._notices.unspread, []
        self._notices.news.clear()
        peers: list[Peer] = [*peers_of(self._registry, self._own), *([self._secretariat] if self._secretariat else [])]
        for start in range(0, len(peers), TOLD_AT_ONCE):
            group = peers[start : start + TOLD_AT_ONCE]
            await asyncio.gather(*(self._tell_one(peer, unspread) for peer in group))

    async def _tell_one(self, peer: Peer, notices: Sequence[Notice]) -> None:
        for notice in notices:
            try:
                await self._telling.tell(peer, notice)
            except FederationError as error:
                logger.info("a node could not be told", extra={"peer": peer.name.dns, "problem": error.code})

    async def pull(self, source: Peer) -> None:
        """Ask a node for everything that counts there."""
        try:
            notices = await self._telling.notices(source)
        except FederationError as error:
            logger.info("a node does not tell its notices", extra={"peer": source.name.dns, "problem": error.code})
            return
        for notice in notices:
            await self._learn(notice)
        await self._notices.settle()

    async def submit_revocations(self) -> None:
        """Ask the Secretariat to log what it does not hold: it may have been away when the Party asked. Who hands it over counts for
        nothing there, and a leaf is logged once.
        """
        secretariat = self._secretariat
        if secretariat is None:
            return
        for notice in self._notices.unlogged:
            try:
                await self._directory.submit(secretariat, notice.raw)
            except FederationError as error:
                logger.info("a revocation is not logged", extra={"problem": error.code})


class _Tree:
    """A tree computed from entries, with every complete node."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._nodes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        for leaf in leaves:
            frontier, completed = frontier.append(merkle.leaf_hash(leaf))
            self._nodes.update({(level, index): value for level, index, value in completed})
        self.root = frontier.root

    def read_node(self, level: int, index: int) -> bytes:
        """The hash of a complete node."""
        return self._nodes[level, index]


def _no_node(_level: int, _index: int) -> bytes:
    """Two checkpoints of one size are compared by their roots."""
    raise AssertionError


def peers_of(registry: Registry, own: PartyId, *, but: Callable[[PartyId], bool] = lambda _party: False) -> list[Peer]:
    """Every other Party's node that may be spoken to, without some."""
    roster: Roster = registry.roster
    others = [(party, one) for party, one in roster.parties.items() if party != own and one.exchanges and not but(party)]
    return [registry.peer(party) for party, one in others if one.node is not None]


def after(peers: Sequence[Peer], own: PartyId) -> list[Peer]:
    """The same peers in the order of their Parties, from the one that follows the own Party: each node begins with another one."""
    return sorted(peers, key=lambda peer: ((party := str(peer.name.party or "")) < own, party))


def some(peers: Sequence[Peer], entropy: Entropy) -> Sequence[Peer]:
    """A few peers, others each time: whoever comes first by name must not decide what this node gets to see."""
    start = int.from_bytes(entropy(2)) % max(1, len(peers))
    return [*peers[start:], *peers[:start]][:PEERS_ASKED]
