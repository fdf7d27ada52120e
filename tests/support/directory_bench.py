"""A treaty's nodes as far as the directory goes, in one process and without a network: the Secretariat's log, and Parties' nodes that
follow, witness and gossip. Wires can be cut, and a node can be shown another log than the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from federation.errors import Unreachable
from federation.identity import NodeName, PartyId
from federation.ports import Notice, Peer
from federation.trust.keys import SoftwareSigner
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.gossip import Gossip
from node.use_cases.log import Log
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry
from node.use_cases.witnessing import Witness
from node.use_cases.world import Own, World
from tests.support.acts import Act
from tests.support.memory_stores import MemoryDirectory
from tests.support.treaty import NOW, PartyMaterial, Treaty, entropy

HOUR = 3_600


class Clock:
    """Everybody's, unless a test gives a node its own."""

    def __init__(self) -> None:
        self.at: float = NOW

    def now(self) -> float:
        return self.at


class Wires:
    """Who is reached under which name, and by whom. `shown` overrides who answers one caller."""

    def __init__(self) -> None:
        self.sites: dict[NodeName, tuple[Any, Any]] = {}
        self.cut: set[NodeName] = set()
        self.shown: dict[tuple[NodeName, NodeName], tuple[Any, Any]] = {}
        self.calls: list[tuple[str, NodeName, NodeName]] = []

    def site(self, caller: NodeName, peer: Peer, what: str) -> tuple[Any, Any]:
        self.calls.append((what, caller, peer.name))
        if peer.name in self.cut or caller in self.cut:
            raise Unreachable(f"nobody answers at {peer.name.dns}")
        there = self.shown.get((caller, peer.name)) or self.sites.get(peer.name)
        if there is None:
            raise Unreachable(f"nobody listens at {peer.name.dns}")
        return there


class Line:
    """`DirectoryService` and `NoticeService` for one caller."""

    def __init__(self, wires: Wires, caller: NodeName) -> None:
        self._wires = wires
        self._caller = caller

    def _log(self, peer: Peer, what: str) -> Any:
        return self._wires.site(self._caller, peer, what)[0]

    async def checkpoint(self, peer: Peer) -> bytes:
        return await self._log(peer, "checkpoint").checkpoint()

    async def pending(self, peer: Peer) -> bytes:
        return await self._log(peer, "pending").pending()

    async def entries(self, peer: Peer, start: int, end: int) -> tuple[bytes, ...]:
        return tuple(await self._log(peer, "entries").entries(start, end))

    async def consistency(self, peer: Peer, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return tuple(await self._log(peer, "consistency").consistency(old_size, new_size))

    async def submit(self, peer: Peer, leaf: bytes) -> int:
        return await self._log(peer, "submit").submit(self._caller, leaf)

    async def cosign(self, peer: Peer, checkpoint: bytes) -> None:
        await self._log(peer, "cosign").cosign(self._caller, checkpoint)

    async def tell(self, peer: Peer, notice: Notice) -> None:
        await self._wires.site(self._caller, peer, "tell")[1].take(self._caller, notice)

    async def notices(self, peer: Peer) -> tuple[Notice, ...]:
        return tuple(await self._wires.site(self._caller, peer, "notices")[1].all())


class Office:
    """The Secretariat's node: one log, on one disk."""

    def __init__(self, bench: Bench, store: MemoryDirectory) -> None:
        self._bench = bench
        self.store = store
        self.further: tuple[SoftwareSigner, ...] = ()

    async def open(self) -> Office:
        """Read the disk and serve, as after a start."""
        treaty, bench = self._bench.treaty, self._bench
        published = await self.store.published()
        self.registry = await Registry.load(self.store, treaty.genesis_digest, bench.clock, published=published)
        self.log = await Log.load(registry=self.registry, publications=self.store, signer=treaty.log_signer, further=self.further)
        self.notices = await Notices.load(self.registry, self.store, bench.clock)
        return self

    @property
    def site(self) -> tuple[Log, Notices]:
        return self.log, self.notices

    async def append(self, act: Act) -> int:
        """Log what somebody wants to say."""
        return await self.log.append(act.leaf)

    @property
    def published(self) -> int:
        return self.registry.replica.frontier.size

    @property
    def logged(self) -> int:
        return self.log._logged.frontier.size


class Member:
    """A Party's node, on a disk that survives `open`."""

    def __init__(self, bench: Bench, material: PartyMaterial, store: MemoryDirectory) -> None:
        self._bench = bench
        self.material = material
        self.store = store
        self.clock = bench.clock
        self.line = Line(bench.wires, material.name)

    async def open(self) -> Member:
        bench, material = self._bench, self.material
        self.registry = await Registry.load(self.store, bench.treaty.genesis_digest, self.clock)
        self.notices = await Notices.load(self.registry, self.store, self.clock)
        self.gossip = Gossip(
            own=material.party,
            entropy=entropy(0, f"gossip {material.party}"),
            registry=self.registry,
            notices=self.notices,
            directory=self.line,
            telling=self.line,
            secretariat=bench.secretariat,
        )
        self.witness = Witness(
            own=Own(party=material.party, name=material.name, signer=material.signer),
            world=World(clock=self.clock, entropy=entropy(0, f"witness {material.party}")),
            registry=self.registry,
            store=self.store,
            service=self.line,
        )
        bench.wires.sites[material.name] = self.site
        return self

    @property
    def site(self) -> tuple[DirectoryReads, Notices]:
        return DirectoryReads(self.registry), self.notices

    @property
    def size(self) -> int:
        return self.registry.replica.frontier.size

    async def attend(self) -> bool:
        """Do a witness's duty once."""
        return await self.witness.attend(self._bench.secretariat)

    async def follow(self, source: Peer | None = None) -> bool:
        return await self.registry.follow(self.line, source or self._bench.secretariat)


class Bench:
    """See the module."""

    def __init__(self, treaty: Treaty) -> None:
        self.treaty = treaty
        self.clock = Clock()
        self.wires = Wires()
        self.secretariat = treaty.secretariat.peer
        self.members: dict[PartyId, Member] = {}

    @classmethod
    async def make(cls, treaty: Treaty, *, members: Iterable[str] | None = None) -> Bench:
        """The log as the treaty has it now counts everywhere, whoever cosigned it."""
        bench = cls(treaty)
        bench.office = await Office(bench, await filled(treaty)).open()
        bench.wires.sites[treaty.secretariat.name] = bench.office.site
        for party in members if members is not None else treaty.parties:
            await bench.member(party)
        return bench

    async def member(self, party: str) -> Member:
        """Switch on a Party's node, whose replica is the treaty's log as it is now."""
        material = self.treaty.parties[PartyId(party)]
        member = await Member(self, material, await filled(self.treaty)).open()
        self.members[material.party] = member
        return member

    def __getitem__(self, party: str) -> Member:
        return self.members[PartyId(party)]

    async def fork(self, *acts: Act) -> Office:
        """Another log under the same key, that begins like the true one."""
        office = await Office(self, await filled(self.treaty)).open()
        for act in acts:
            await office.append(act)
        return office

    def show(self, office: Office, *members: Member) -> None:
        """From now on the Secretariat shows this log to these nodes."""
        for member in members:
            self.wires.shown[member.material.name, self.treaty.secretariat.name] = office.site

    def peer(self, party: str) -> Peer:
        return self.treaty.parties[PartyId(party)].peer

    async def attend(self, *parties: str) -> None:
        """Let these witnesses do their duty; all of them without a name."""
        for party in parties or self.members:
            await self[party].attend()


async def filled(treaty: Treaty) -> MemoryDirectory:
    """A disk with the treaty's log on it."""
    store = MemoryDirectory()
    await store.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())
    return store


def treaty_with(*parties: str, witnesses: Iterable[str] = (), seed: int = 0) -> Treaty:
    """These Parties, each with its node; of them these on witness duty from the beginning."""
    treaty = Treaty.make(seed, first_witnesses=witnesses)
    for party in parties:
        treaty.admit(party)
    return treaty
