"""A whole federation in one process: Parties' nodes, the Secretariat and officers, on virtual time and a simulated network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Peer
from federation.query.codes import Automation
from federation.v1 import exchange_pb2
from federation.wire.envelope import decode_envelope, decode_header
from node.rpc.directory import DirectoryServicer
from node.rpc.exchange import DELIVER, PATTERN_SET
from node.use_cases.log import Log
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry
from tests.support.history import History
from tests.support.memory_stores import MemoryDirectory
from tests.support.network import Crossed, SimNetwork, Site
from tests.support.parties import FACTORY, MARKING, NECESSITY, TreatyKit, treaty_of
from tests.support.simulated_node import HOUSEKEEPING_S, SimNode, anchors_of
from tests.support.virtual_clock import VirtualLoop, WallClock

PARTIES_STANDARD = 20
SECRETS = tuple(words.encode() for words in (MARKING, FACTORY, NECESSITY))
"""Words of questions and answers that nobody but the two Parties may read."""


class SimSecretariat:
    """The directory at its origin."""

    def __init__(self, treaty: TreatyKit, *, loop: VirtualLoop, network: SimNetwork, history: History) -> None:
        self.name = treaty.secretariat
        self.directory = MemoryDirectory()
        self._treaty = treaty
        self._loop = loop
        self._network = network
        self._history = history
        self._group: asyncio.TaskGroup | None = None
        self.log: Log | None = None
        self.notices: Notices | None = None

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Found the log, and serve it."""
        await self.directory.append(first=0, leaves=self._treaty.leaves, checkpoint=self._treaty.checkpoint)
        self._group = group
        await self.come_back()

    def as_peer(self) -> Peer:
        """For whoever wants to call it."""
        return Peer(name=self.name, endpoint=f"{self.name.dns}:7443", anchors=(self._treaty.founded.ca,))

    def go_away(self) -> None:
        """Nobody listens there any more."""
        self._history.add(self._loop.time(), "secretariat", "goes away")
        self._network.detach(self.name)

    async def come_back(self) -> None:
        """Read the log from the disk, and serve it."""
        assert self._group is not None
        clock = WallClock(self._loop)
        published = await self.directory.published()
        registry = await Registry.load(self.directory, self._treaty.founded.digest, clock, published=published)
        self.log = await Log.load(registry=registry, publications=self.directory, signer=self._treaty.log_signer)
        self.notices = await Notices.load(registry, self.directory, clock)
        self._network.attach(
            Site(
                name=self.name,
                ca=self._treaty.founded.ca,
                routes=DirectoryServicer(self.log, self.notices).routes(),
                anchors=anchors_of(registry),
                spawn=self._group.create_task,
            )
        )
        self._history.add(self._loop.time(), "secretariat", "serves")


class Federation:
    """All that runs, and the hands that disturb it.

    Attributes:
        nodes: by Party, in the order in which they joined.
        leaks: what was readable on the wire and should not have been.
        envelopes: every envelope that arrived anywhere: message id, sender, recipient.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        *,
        seed: int,
        parties: int,
        witnesses: int,
        automation: Callable[[int], Automation],
        history: History,
        pace_s: float = HOUSEKEEPING_S,
    ) -> None:
        self.loop = loop
        self.seed = seed
        self.history = history
        self.treaty = treaty_of(parties, witnesses=witnesses)
        self.network = SimNetwork(loop, watch=self._watch)
        self.secretariat = SimSecretariat(self.treaty, loop=loop, network=self.network, history=self.history)
        self.leaks: list[str] = []
        self.envelopes: list[tuple[MessageId, NodeName, NodeName]] = []
        self._group: asyncio.TaskGroup | None = None
        self.nodes = {
            kit.party: SimNode(
                kit,
                self.treaty,
                loop=loop,
                network=self.network,
                history=self.history,
                seed=seed,
                automation=automation(number),
                pace_s=pace_s,
            )
            for number, kit in enumerate(self.treaty.parties)
        }

    def __getitem__(self, party: str) -> SimNode:
        return self.nodes[PartyId(party)]

    @property
    def now(self) -> float:
        """Unix seconds, by a clock that is right."""
        return WallClock(self.loop).now()

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Switch everything on, and wait until everybody serves."""
        self._group = group
        await self.secretariat.begin(group)
        for node in self.nodes.values():
            await node.prepare()
            self.start(node)
        for node in self.nodes.values():
            await node.is_up()

    def start(self, node: SimNode) -> None:
        """Switch a node on."""
        assert self._group is not None
        node.start(self._group)

    async def restart(self, node: SimNode) -> None:
        """Switch a node on, and wait until it serves."""
        self.start(node)
        await node.is_up()

    def in_background(self, work: Any) -> asyncio.Task[Any]:
        """Something that goes on beside everything else, until the federation ends."""
        assert self._group is not None
        return self._group.create_task(work)

    def end(self) -> None:
        """Switch everything off."""
        for node in self.nodes.values():
            node.crash()
        self.secretariat.go_away()

    def _watch(self, crossed: Crossed) -> None:
        """See everything that is on the wire, as whoever controls the network does."""
        message_id = b""
        if (crossed.path, crossed.way) == (DELIVER.path, "request"):
            raw = exchange_pb2.DeliverRequest.FromString(crossed.data).envelope
            header = decode_header(decode_envelope(raw).header)
            message_id = header.message_id
            self.envelopes.append((header.message_id, header.sender, header.recipient))
        if crossed.path != PATTERN_SET.path:  # patterns are public
            self.leaks += [f"{crossed}: {words!r}" for words in SECRETS if words in crossed.data]
        target = crossed.target.party or "secretariat"
        what = f"{crossed.way} {crossed.path.rpartition('/')[2]} to {target}"
        self.history.add(crossed.at, crossed.source.party or "secretariat", what, message_id, len(crossed.data))


@asynccontextmanager
async def federating(
    loop: VirtualLoop,
    *,
    seed: int = 0,
    parties: int = PARTIES_STANDARD,
    witnesses: int = 0,
    automation: Callable[[int], Automation] = lambda _number: Automation.AUTOMATIC,
    history: History | None = None,
    pace_s: float = HOUSEKEEPING_S,
) -> AsyncIterator[Federation]:
    """A federation for the length of a block.

    Args:
        loop: virtual time.
        seed: of ids, salts, faults and delays.
        parties: how many.
        witnesses: how many of them, the first ones, are on witness duty from the beginning.
        automation: the policy of each, by its number.
        history: to write into, for whoever wants to read it whatever happens.
        pace_s: how long nodes rest between two looks at deadlines, prekeys, patterns and the log.
    """
    history = history if history is not None else History()
    federation = Federation(
        loop, seed=seed, parties=parties, witnesses=witnesses, automation=automation, history=history, pace_s=pace_s
    )
    async with federation.network, asyncio.TaskGroup() as group:
        await federation.begin(group)
        try:
            yield federation
        finally:
            federation.end()
