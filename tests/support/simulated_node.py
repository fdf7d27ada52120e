"""One Party's node in a simulation: the program itself, on a disk that survives crashes and a clock that can be wrong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from federation import limits
from federation.errors import StoreUnavailable, Unreachable
from federation.identity import OfficerName, PartyId
from federation.ports import Change, Crossing, Peer
from federation.query.codes import Automation
from federation.query.policy import Policy
from federation.trust.chain import Window
from federation.trust.issuing import issue_officer_certificate
from federation.trust.keys import Signer
from federation.trust.roster import Roster
from node.rpc.attachments import AttachmentServicer
from node.rpc.directory import DirectoryServicer
from node.rpc.exchange import ExchangeServicer
from node.rpc.reconciliation import ReconciliationServicer
from node.use_cases.attachments import AttachmentPorts
from node.use_cases.desk import OwnDesk
from node.use_cases.desk_values import KeyPlace
from node.use_cases.diagnosis import Facts
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.load_trace import load_trace
from node.use_cases.own_keys import HeldKey, OwnKeys, ca_key_hash
from node.use_cases.participant import participating
from node.use_cases.parts import Participant, Parts
from node.use_cases.peer_book import PeerBook
from node.use_cases.peer_clocks import PeerClocks
from node.use_cases.personnel import OfficerParts
from node.use_cases.registry import Registry
from node.use_cases.restoring import Returned, open_epoch
from node.use_cases.world import Own, World
from tests.support.faults import Faults
from tests.support.history import History
from tests.support.memory_officers import MemoryOfficers, registered
from tests.support.memory_spool import MemorySpool
from tests.support.memory_stores import MemoryDirectory, MemoryExchange, MemoryPatterns
from tests.support.memory_trace import MemoryTrace
from tests.support.network import SimNetwork, Site
from tests.support.parties import PartyKit, TreatyKit
from tests.support.virtual_clock import EPOCH, SeededEntropy, VirtualLoop, WallClock

FOR_EVER = Window(not_before=int(EPOCH), not_after=int(EPOCH) + 10 * 365 * 86_400)
HOUSEKEEPING_S = 1_800.0
"""Nodes look after themselves less often here, or weeks would take minutes."""
READ_S = (0.0001, 0.0005)
COMMIT_S = (0.0005, 0.004)


class Storage(MemoryExchange):
    """What lies on the disk. It tells what is written, at the moment at which it can no longer be lost."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self.on_write: Callable[[Change], None] = lambda _change: None

    def _apply(self, change: Change, crossings: list[Crossing]) -> Any:
        positions = super()._apply(change, crossings)
        self.on_write(change)
        return positions

    def copy(self) -> Storage:
        """As a backup takes it: everything but the keys that open envelopes."""
        copy = Storage(self.faults)
        for name, value in vars(self).items():
            if isinstance(value, dict | list | set):
                setattr(copy, name, _copied(value))
        copy.timeline = self.timeline.copy(copy.faults, copy._crossings)
        copy._destroyed |= set(copy._keys)
        copy._keys.clear()
        copy._numbers = count(next(self._numbers))
        copy._tree = self._tree.copy()
        return copy


def _copied(value: Any) -> Any:
    """Rows never change; tables of tables do."""
    if isinstance(value, dict):
        return {key: _copied(one) if isinstance(one, dict) else one for key, one in value.items()}
    return value.copy()


class Power:
    """Whether a machine is on. When it goes off, everything that waits for disk or network waits for ever."""

    def __init__(self) -> None:
        self.on = True

    async def needed(self) -> None:
        """Go on only while the machine is on."""
        if not self.on:
            await asyncio.Event().wait()


class Disk:
    """The storage as one run of a node reaches it: with delays, one writer at a time, and only while there is power."""

    def __init__(self, storage: Storage, power: Power, loop: VirtualLoop) -> None:
        self._storage = storage
        self._power = power
        self._loop = loop
        self._writing = asyncio.Lock()

    async def commit(self, change: Change) -> Any:
        async with self._writing:
            return await self._touch(COMMIT_S, self._storage.commit(change))

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._storage, name)
        return lambda *arguments, **named: self._touch(READ_S, method(*arguments, **named))

    async def _touch(self, delay_s: tuple[float, float], access: Coroutine[Any, Any, Any]) -> Any:
        try:
            await asyncio.sleep(self._loop.random.uniform(*delay_s))
            await self._power.needed()
            result = await access
        finally:
            access.close()
        await self._power.needed()
        return result


@dataclass(frozen=True)
class KitCa:
    key: ec.EllipticCurvePrivateKey
    certificate: bytes | None = None


class KitKeys:
    """The keys that a Party of a simulation was made with, as a node asks for them."""

    def __init__(self, kit: PartyKit) -> None:
        self._kit = kit

    def signers(self, role: str) -> Sequence[Signer]:
        return (self._kit.signer if role == "signing" else self._kit.author,)

    def cas(self) -> Sequence[KitCa]:
        return (KitCa(self._kit.ca.key),)

    def inventory(self) -> Sequence[HeldKey]:
        ids = {"party": self._kit.author.public_key, "signing": self._kit.signer.public_key, "ca": ca_key_hash(self._kit.ca.key)}
        return [HeldKey(role=role, name=role, id=one, place=KeyPlace.MEMORY, retired=False) for role, one in ids.items()]

    def reload(self) -> None:
        """Nothing else comes."""


class SimNode:
    """A Party's node that can be switched on and off.

    Attributes:
        storage, directory, patterns, trace: what survives a crash.
        clock: this machine's.
        peer_clocks: what it heard of others' clocks; the simulated network tells none.
        policy: taken up when the node starts.
        staff: its officers, with the certificates that they have by now.
        problems: codes of all errors for which a message did not get through.
        past: what lay on the disk each time before it was replaced by a copy from a backup.
        on_write: told each change once it is written.
    """

    def __init__(
        self,
        kit: PartyKit,
        treaty: TreatyKit,
        *,
        loop: VirtualLoop,
        network: SimNetwork,
        history: History,
        seed: int,
        automation: Automation = Automation.AUTOMATIC,
        pace_s: float = HOUSEKEEPING_S,
    ) -> None:
        self.kit = kit
        self.party = kit.party
        self.staff = list(kit.officers)
        self.policy = Policy(standard=automation)
        self.clock = WallClock(loop)
        self.peer_clocks = PeerClocks()
        self.faults = Faults(seed)
        self.storage = Storage(self.faults)
        self.spool = MemorySpool(self.faults)
        self.directory = MemoryDirectory()
        self.patterns = MemoryPatterns()
        self.officers = MemoryOfficers()
        self.trace = MemoryTrace()
        self.starts = 0
        self.retention_s = limits.RETENTION_S
        self.problems: set[str] = set()
        self.chances = random.Random(f"{seed}/{kit.party}")
        self.past: list[Storage] = []
        self.on_write: Callable[[Change], None] = lambda _change: None
        self._returned: Returned | None = None
        self._pace_s = pace_s
        self._treaty = treaty
        self._loop = loop
        self._network = network
        self._history = history
        self._seed = seed
        self._power = Power()
        self._running: asyncio.Task[Any] | None = None
        self._begun: list[asyncio.Task[Any]] = []
        self._group: asyncio.TaskGroup | None = None
        self._up = asyncio.Event()
        self.participant: Participant | None = None
        self._writes_left = 0
        self._crashed = asyncio.Event()
        self.storage.on_write = self._wrote

    async def prepare(self) -> None:
        """What `gsp party join` and the administrators leave behind: the directory, the Party's own data, its officers."""
        await self.directory.append(first=0, leaves=self._treaty.leaves, checkpoint=self._treaty.checkpoint)
        await load_trace(self.trace, self.kit.filings)
        self.officers.lies_there(*(registered(one.name, one.certificate) for one in self.kit.officers))

    def note(self, what: str, message_id: bytes = b"", size: int = 0) -> None:
        """Into the history."""
        self._history.add(self._loop.time(), self.party, what, message_id, size)

    def _wrote(self, change: Change) -> None:
        """It cannot be lost any more; but perhaps nobody lives to hear of it."""
        self._note_write(change)
        self.on_write(change)
        if self._writes_left > 0 and self.is_on:
            self._writes_left -= 1
            if self._writes_left == 0:
                self.crash()

    def _note_write(self, change: Change) -> None:
        for asked in change.asked:
            self.note(f"asked {asked.state} {asked.problem}".rstrip(), asked.message_id, len(asked.answer_ids))
        for received in change.received:
            self.note(f"received {received.state}", received.message_id)
        for crossing in change.crossings:
            self.note(f"{crossing.direction} {crossing.kind}", crossing.message_id, len(crossing.header))
        for outgoing in change.outgoing:
            self.problems.add(outgoing.problem)
            self.note(f"outbox try {outgoing.attempts} {outgoing.problem}".rstrip(), outgoing.message_id)
        for message_id in change.outgoing_done:
            self.note("outbox done", message_id)
        for message_id, _ in change.receipts:
            self.note("receipted", message_id)

    # --- on and off -----------------------------------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether it is switched on; it may still be starting."""
        return self._running is not None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Switch it on."""
        assert not self.is_on, f"{self.party} is on already"
        self.starts += 1
        self._power = Power()
        self._running = group.create_task(self._live(self._power))
        self.note("starts")

    async def crash_after_writes(self, writes: int) -> None:
        """Cut the power right after so many more commits: what they say is written, and nothing has been done about it. Come back
        when that has happened.
        """
        self._writes_left = writes
        await self._crashed.wait()

    def crash(self) -> None:
        """Cut the power: what is not written is lost, and nobody says goodbye."""
        if self._running is None:
            return
        self._writes_left = 0
        self._crashed.set()
        self._crashed = asyncio.Event()
        self.note("crashes")
        self._power.on = False
        self._network.detach(self.kit.name)
        self._up = asyncio.Event()
        self.participant = None
        running, self._running = self._running, None
        running.cancel()
        begun, self._begun = self._begun, []
        for task in begun:
            task.cancel()

    def put_back(self, copy: Storage, *, age_s: float) -> None:
        """Replace the disk of a machine that is off by a copy of that age, which holds no key that opens envelopes. What lay in the
        directory stays: nothing that is simulated here changes it.
        """
        assert not self.is_on
        self.past.append(self.storage)
        now = int(self.clock.now())
        self.storage.on_write = lambda _change: None
        self.storage = copy
        self.storage.on_write = self._wrote
        self._returned = Returned(at=now, taken=int(now - age_s))
        self.note("is put back from a backup")

    async def is_up(self) -> None:
        """Wait until it serves."""
        await self._up.wait()

    async def _live(self, power: Power) -> None:
        async with asyncio.TaskGroup() as group, AsyncExitStack() as stack:
            participant = await self._enter(stack, power)
            self._group = group
            self.participant = participant
            self._network.attach(
                Site(
                    name=self.kit.name,
                    ca=self.kit.ca.certificate,
                    routes={
                        **ExchangeServicer(participant.exchange).routes(),
                        **AttachmentServicer(participant.offering).routes(),
                        **DirectoryServicer(DirectoryReads(participant.registry), participant.notices).routes(),
                        **ReconciliationServicer(participant.accounting).routes(),
                    },
                    anchors=anchors_of(participant.registry),
                    spawn=self.spawn,
                    clock=self.clock,
                )
            )
            self._up.set()
            await asyncio.Event().wait()

    async def _enter(self, stack: AsyncExitStack, power: Power) -> Participant:
        """A node that cannot read its store ends, and whatever watches over it starts it again."""
        while True:
            try:
                return await stack.enter_async_context(participating(await self._parts(power)))
            except StoreUnavailable:
                self.note("cannot start")
                await asyncio.sleep(5)

    async def _parts(self, power: Power) -> Parts:
        disk: Any = Disk(self.storage, power, self._loop)
        registry = await self._registry()
        ca = self.kit.ca.certificate
        book = PeerBook()
        service = self._network.directory(self.kit.name, ca=ca, clock=self.clock, book=book)
        world = World(clock=self.clock, entropy=SeededEntropy(self._seed, self.party, self.starts))
        epochs = await open_epoch(disk, disk, own=self.party, world=world, returned=self._returned)
        return Parts(
            own=Own(party=self.party, name=self.kit.name, signer=self.kit.signer, epochs=epochs),
            world=world,
            version="simulated",
            exchange_store=disk,
            outbox_store=disk,
            arrivals=disk,
            journal=disk,
            timeline=self.storage.timeline,
            peer_store=self.storage.timeline,
            book=book,
            reconcile_store=disk,
            retention_store=disk,
            retention_s=self.retention_s,
            reconciliation=self._network.reconciliation(self.kit.name, ca=ca, clock=self.clock),
            reconcile_pause_s=max(HOUSEKEEPING_S, self._pace_s / 4),
            attachments=AttachmentPorts(
                rows=disk, spool=self.spool, transport=self._network.attachments(self.kit.name, ca=ca, clock=self.clock)
            ),
            pattern_store=self.patterns,
            trace=self.trace,
            registry=registry,
            transport=self._network.transport(self.kit.name, ca=ca, clock=self.clock, book=book),
            directory=service,
            telling=service,
            witness_store=self.directory,
            notice_store=self.directory,
            secretariat=self._secretariat(),
            sets=(self.kit.patterns,),
            reference=(),
            policy=self.policy,
            officers=self._officer_parts(),
            own_keys=OwnKeys(party=self.party, registry=registry, clock=self.clock, source=KitKeys(self.kit)),
            facts=lambda: Facts(certificate=FOR_EVER, disk_free_bytes=2**34, clocks=self.peer_clocks),
            housekeeping_s=self._pace_s,
            witness_pause_s=self._pace_s,
        )

    def _officer_parts(self) -> OfficerParts:
        entropy = SeededEntropy(self._seed, self.party, "certificates", self.starts)

        def certify(public_key: bytes, name: OfficerName, life_s: int) -> bytes:
            return issue_officer_certificate(
                public_key, name=name, ca=self.kit.ca, now=self.clock.now(), entropy=entropy, life_s=life_s
            )

        return OfficerParts(store=self.officers, certify=certify, party_cas=lambda: (self.kit.ca.certificate,))

    async def _registry(self) -> Registry:
        """Reading the log again takes some time, and every node has the same at its first start."""
        if self.starts == 1:
            return Registry(self._treaty.replica, self.directory, self.clock)
        return await Registry.load(self.directory, self._treaty.founded.digest, self.clock)

    def _secretariat(self) -> Peer:
        name = self._treaty.secretariat
        return Peer(name=name, endpoint=f"{name.dns}:7443", anchors=(self._treaty.founded.ca,))

    # --- work that ends with the node ------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin a task that ends with the node."""
        assert self._group is not None
        try:
            task = self._group.create_task(work)
        except RuntimeError:
            work.close()  # the node is ending because something failed in it
            raise
        self._begun = [*(one for one in self._begun if not one.done()), task]
        return task

    async def at_desk(self, work: Callable[[OwnDesk], Coroutine[Any, Any, Any]]) -> Any:
        """Do something at this node's desk.

        Raises:
            Unreachable: the node is off, or goes off meanwhile.
        """
        return await self.inside(lambda participant: work(participant.desk))

    async def inside(self, work: Callable[[Participant], Coroutine[Any, Any, Any]]) -> Any:
        """Do something in this node, as `at_desk`."""
        if self.participant is None:
            raise Unreachable(f"the desk of {self.party} is closed")
        task = self.spawn(_outcome(work, self.participant))
        await asyncio.wait([task])
        if task.cancelled():
            raise Unreachable(f"the desk of {self.party} went away")
        value, error = task.result()
        if error is not None:
            raise error
        return value


def anchors_of(registry: Registry) -> Callable[[], Mapping[PartyId | None, Iterable[bytes]]]:
    """Whose certificates a node believes at each moment, computed anew when its directory is another one."""
    known: list[tuple[Roster, Mapping[PartyId | None, Iterable[bytes]]]] = []

    def anchors() -> Mapping[PartyId | None, Iterable[bytes]]:
        if not known or known[0][0] is not registry.roster:
            known[:] = [(registry.roster, registry.roster.anchors())]
        return known[0][1]

    return anchors


async def _outcome(
    work: Callable[[Participant], Coroutine[Any, Any, Any]], participant: Participant
) -> tuple[Any, Exception | None]:
    """An error at the desk is the officer's to see; it does not end the node."""
    try:
        return await work(participant), None
    except Exception as error:  # noqa: BLE001  # given on to whoever waits
        return None, error
