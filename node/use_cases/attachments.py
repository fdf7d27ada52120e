"""Files that go with messages that came: fetched behind them, whole or in as many pieces as it takes.

The receiver fetches, because it alone knows what it has and what it has room for (docs/adr/0023). What came of a file lies in the
spool, and its length is where the next try goes on, whatever happened to either node meanwhile. A file counts when all of it is
there and has the hash that the header of its message says; then it is settled, written into the journal and receipted, in that
order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from hashlib import sha512

from federation import limits
from federation.boundary.receipts import journal_leaf
from federation.delivery.attachment import AttachmentState, Place, Spooled, after_cut, after_fault, put_off
from federation.envelope.attachment import arrival_digest
from federation.errors import (
    FederationError,
    Malformed,
    Overloaded,
    PeerMisbehaviour,
    StoreUnavailable,
    Unauthentic,
    Unavailable,
    Unreachable,
)
from federation.evidence.journal import SALT_BYTES, JournalKind, JournalRecord, Leaf
from federation.identity import PartyId
from federation.ports import AttachmentStore, AttachmentTransport, Change, ExchangeStore, JournalStore, Spool
from federation.wire.evidence import encode_signed_receipt
from node import limits as node_limits
from node.use_cases.receipting import receipt_again
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPorts:
    """Where files and what is said of them lie, and how they cross."""

    rows: AttachmentStore
    spool: Spool
    transport: AttachmentTransport


class Attachments:
    """Fetches what is due, some at a time, each peer on its own, and hands the receipts over."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        journal: JournalStore,
        registry: Registry,
        ports: AttachmentPorts,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._journal = journal
        self._registry = registry
        self._rows = ports.rows
        self._spool = ports.spool
        self._transport = ports.transport
        self._in_flight: dict[Place, PartyId] = {}
        self._partial: dict[Place, tuple[PartyId, int]] = {}
        self._silent: set[PartyId] = set()
        self._heard: set[PartyId] = set()
        self._news = asyncio.Event()

    def nudge(self) -> None:
        """A message with files has come."""
        self._news.set()

    def heard_from(self, peer: PartyId) -> None:
        """The peer is there: what it did not answer before is tried at once."""
        if peer in self._silent:
            self._silent.discard(peer)
            self._heard.add(peer)
            self._news.set()

    def began_before(self, place: Place, peer: PartyId, size: int) -> None:
        """So much of a file lies here already, as the sweep has found."""
        self._partial[place] = (peer, size)

    async def run(self) -> None:
        """Fetch what is due, for ever. It ends only with the node."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                try:
                    delay_s = await self._begin(group)
                except Unavailable as error:
                    logger.warning("the files to fetch cannot be read", extra={"problem": error.code})
                    delay_s = limits.RETRY_S_MIN
                try:
                    async with asyncio.timeout(min(delay_s, limits.RETRY_S_MAX)):
                        await self._news.wait()
                except TimeoutError:
                    pass

    async def _begin(self, group: asyncio.TaskGroup) -> float:
        """Begin what is due, as far as there is room; gives the seconds until the next one will be. What ends makes news."""
        now = self._world.clock.now()
        heard, self._heard = self._heard, set()
        for one in [
            *await self._woken(heard),
            *await self._rows.attachments_due(now=now, rows=node_limits.ATTACHMENTS_AT_ONCE_MAX),
        ]:
            if one.place not in self._in_flight and self._has_slot(one.peer):
                self._in_flight[one.place] = one.peer
                group.create_task(self._advance(one))
        next_due = await self._rows.attachments_next_due()
        if next_due is None or next_due <= now:
            return limits.RETRY_S_MAX
        return next_due - now

    async def _woken(self, heard: set[PartyId]) -> list[Spooled]:
        if not heard:
            return []
        late = await self._rows.attachments_due(now=limits.TIME_S_MAX, rows=node_limits.ATTACHMENTS_AT_ONCE_MAX)
        return [one for one in late if one.peer in heard and one.problem == Unreachable.code]

    def _has_slot(self, peer: PartyId) -> bool:
        own = sum(other == peer for other in self._in_flight.values())
        return own < node_limits.ATTACHMENTS_AT_ONCE_PER_PARTY_MAX and len(self._in_flight) < node_limits.ATTACHMENTS_AT_ONCE_MAX

    async def _advance(self, one: Spooled) -> None:
        """As far as it goes: fetched, written down, receipted. Failures are written down, not raised."""
        before = await self._here(one)
        try:
            if one.state is AttachmentState.WAITING:
                one = await self._fetched(one, before)
            await self._tell(one)
        except FederationError as error:
            await self._failed(one, error, before)
        finally:
            del self._in_flight[one.place]
            self._news.set()

    async def _here(self, one: Spooled) -> int:
        """Bytes of a partial file; 0 when the disk does not say, and then nothing that follows comes far."""
        try:
            here = await self._spool.size(one.place.file, settled=False) or 0
            if here > one.named.size:
                await self._spool.remove(one.place.file)
                here = 0
        except StoreUnavailable:
            return 0
        return here

    async def _fetched(self, one: Spooled, here: int) -> Spooled:
        """The file is whole, settled and in the journal.

        Raises:
            FederationError: not yet.
        """
        if await self._spool.size(one.place.file, settled=True) is None:
            await self._check_room(one, here)
            await self._pull(one, here)
        self._partial.pop(one.place, None)
        now = self._world.now()
        arrived = replace(one, state=AttachmentState.ARRIVED, changed=now, attempts=0, next_attempt=float(now), problem="")
        if one.leaf >= 0:  # it was here before, and got lost: the journal has it already
            await self._store.commit(Change(attachments=(arrived,)))
            return arrived
        leaf = attached_leaf(self._world, one, note="arrived")
        positions = await self._store.commit(Change(attachments=(arrived,), leaves=(leaf,)))
        return replace(arrived, leaf=positions[0].index)

    async def _check_room(self, one: Spooled, here: int) -> None:
        """See that the file may come now.

        Raises:
            Overloaded: the budget of its sender, or the room for files, is used up.
            StoreUnavailable: the disk is nearly full.
        """
        usage = await self._rows.attachments_usage(one.peer, since=self._world.now() - _DAY_S)
        others = [(peer, size) for place, (peer, size) in self._partial.items() if place != one.place]
        of_peer = usage.day_bytes + sum(size for peer, size in others if peer == one.peer)
        if (
            of_peer + one.named.size > node_limits.ATTACHMENT_BYTES_PER_PARTY_DAY_MAX
            or usage.day_files >= node_limits.ATTACHMENTS_PER_PARTY_DAY_MAX
        ):
            raise Overloaded("this Party has sent as many files as are taken in a day", hint="the rest is fetched tomorrow")
        if usage.spooled + sum(size for _, size in others) + one.named.size > node_limits.SPOOL_BYTES_MAX:
            raise StoreUnavailable("there is no room for more files at this node")
        if await self._spool.free_bytes() - (one.named.size - here) < node_limits.SPOOL_FREE_BYTES_MIN:
            raise StoreUnavailable("the disk of this node has no room for the file")

    async def _pull(self, one: Spooled, here: int) -> None:
        """Fetch what is missing, see that the whole is what the header names, and settle it.

        Raises:
            Unreachable: it was cut; what came is kept.
            Malformed, Unauthentic: the peer sends something else; nothing of it is kept.
        """
        file, named = one.place.file, one.named
        hashed = sha512()
        await self._read(file, here, hashed.update)
        if here < named.size:
            peer = self._registry.peer(one.peer)
            stream = self._transport.pull(peer, one.message_id, named.attachment_id, offset=here)
            async with aclosing(_theirs(stream)) as pieces:
                async for piece in pieces:
                    if not 1 <= len(piece) <= limits.ATTACHMENT_CHUNK_BYTES_MAX or here + len(piece) > named.size:
                        await self._spool.remove(file)
                        raise Malformed("a file is longer than its message says, or comes in pieces that none has")
                    await self._spool.write(file, here, piece)
                    hashed.update(piece)
                    here += len(piece)
                    self._partial[one.place] = (one.peer, here)
        if here < named.size:
            raise Unreachable("the stream of a file ended before its end")
        if hashed.digest() != named.sha512:
            await self._spool.remove(file)
            raise Unauthentic("a file is not the one that its message names")
        await self._spool.settle(file)

    async def _read(self, file: str, size: int, hear: Callable[[bytes], None]) -> None:
        """What lies here already: the disk may have lost the end of it, so it is not believed to be what came."""
        for offset in range(0, size, limits.ATTACHMENT_CHUNK_BYTES_MAX):
            length = min(limits.ATTACHMENT_CHUNK_BYTES_MAX, size - offset)
            hear(await self._spool.read(file, offset, length, settled=False))

    async def _tell(self, one: Spooled) -> None:
        """Hand our receipt over: the sender has it in writing that the file is here."""
        digest = arrival_digest(one.message_id, one.named)
        receipt = await receipt_again(self._own, self._journal, digest=digest, index=one.leaf)
        peer = self._registry.peer(one.peer)
        await self._transport.attached(peer, one.named.attachment_id, encode_signed_receipt(receipt))
        now = self._world.now()
        await self._store.commit(
            Change(attachments=(replace(one, state=AttachmentState.RECEIPTED, changed=now, attempts=0, problem=""),))
        )

    async def _failed(self, one: Spooled, error: FederationError, before: int) -> None:
        logger.info("a file did not come", extra={"peer": one.peer, "problem": error.code})
        if isinstance(error, Unreachable):
            self._silent.add(one.peer)
        try:
            newest = await self._rows.attachment(one.place)
            if newest is None:
                return
            brought = await self._here(one) - before
            self._partial[one.place] = (one.peer, before + brought)
            await self._store.commit(Change(attachments=(self._later(newest, error, brought),)))
        except Unavailable as unwritten:
            logger.warning("a failure could not be written down", extra={"problem": unwritten.code})
            await asyncio.sleep(limits.RETRY_S_MIN)  # it is due all the time

    def _later(self, one: Spooled, error: FederationError, brought: int) -> Spooled:
        now, jitter = self._world.clock.now(), self._world.entropy(1)[0] / 256
        ours = isinstance(error, StoreUnavailable | Overloaded) and one.state is AttachmentState.WAITING
        if ours or isinstance(error, PeerMisbehaviour):
            pause_s = limits.RETRY_S_MAX if one.attempts == 0 else node_limits.ATTACHMENT_LATER_S
            return put_off(one, until=now + pause_s, problem=error.code)
        if brought >= node_limits.ATTACHMENT_PROGRESS_BYTES_MIN:
            return after_cut(one, now=now, problem=error.code, jitter=jitter)
        return after_fault(one, now=now, problem=error.code, jitter=jitter)


async def _theirs(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A peer that cannot give it now is one that does not answer; only our own disk and budgets are put off for longer."""
    try:
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                yield piece
    except Unavailable as error:
        raise Unreachable(f"the other node cannot give the file now: {error.message}") from error


def attached_leaf(world: World, one: Spooled, *, note: str) -> Leaf:
    """The journal's record that a file is whole at its receiver."""
    record = JournalRecord(
        kind=JournalKind.ATTACHED,
        at=world.now(),
        message_id=one.message_id,
        peer=one.peer,
        digest=arrival_digest(one.message_id, one.named),
        note=note,
    )
    return journal_leaf(record, salt=world.entropy(SALT_BYTES))
