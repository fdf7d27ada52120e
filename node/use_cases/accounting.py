"""What this node tells others of what crossed between it and them: accounts and listings, made from the store and signed."""

from __future__ import annotations

from collections.abc import Sequence

from federation import limits
from federation.boundary.accounts import Told, journal_note, read_account, sign_account, sign_listing
from federation.errors import Forbidden, NotFound, Overloaded, StoreUnavailable
from federation.evidence.account import Account, Crossed, DayTally, Head, Listing, SignedTelling, Way, agree, tally
from federation.evidence.journal import Epoch, written_epochs
from federation.identity import NodeName, PartyId
from federation.ports import Accounted, JournalStore, ReconcileStore
from federation.trust.merkle import Frontier
from federation.wire.account import check_listing_request, check_sizes, decode_telling, encode_telling
from node import limits as node_limits
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World


class Accounting:
    """This node's own half of a reconciliation, and the door for whoever asks for it."""

    def __init__(self, *, own: Own, world: World, store: ReconcileStore, journal: JournalStore, registry: Registry) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._journal = journal
        self._registry = registry
        self._calls: dict[PartyId, list[float]] = {}
        self.doubted: dict[PartyId, set[int]] = {}
        """Days about which a peer tells something else than this node has: the next visit looks at them, whatever was agreed before."""
        self._epochs: dict[PartyId, Epoch] = {}
        self.returned: set[PartyId] = set()
        """Peers that were put back from a backup since they were heard last: what was agreed with them may be gone there."""

    async def sort(self) -> None:
        """Bring everything that was written under its day."""
        while await self._store.sort_crossings(rows=node_limits.RECONCILE_SORT_ROWS):
            pass

    async def entries(self, peer: PartyId, day: int, way: Way) -> tuple[Crossed, ...]:
        """All that crossed on a day, one way."""
        entries: list[Crossed] = []
        while True:
            after = entries[-1].message_id if entries else b""
            page = await self._store.tallied(peer, day, way, after=after, rows=limits.LISTING_ROWS_MAX)
            entries += page
            if len(page) < limits.LISTING_ROWS_MAX:
                return tuple(entries)

    async def days(self, peer: PartyId, days: Sequence[int]) -> tuple[DayTally, ...]:
        """What this node has of these days."""
        return tuple([await self._day(peer, day) for day in days])

    async def _day(self, peer: PartyId, day: int) -> DayTally:
        sent = await self.entries(peer, day, Way.SENT)
        return tally(day, sent=sent, received=await self.entries(peer, day, Way.RECEIVED))

    async def account(self, hearer: NodeName, days: Sequence[DayTally]) -> bytes:
        """The account of these days that this node hands over when it asks for one."""
        frontier = await self._journal.frontier()
        return encode_telling(self._signed(hearer, frontier, days, heads=()))

    def _signed(self, hearer: NodeName, frontier: Frontier, days: Sequence[DayTally], *, heads: Sequence[Head]) -> SignedTelling:
        account = Account(
            teller=self._own.name,
            hearer=hearer,
            at=self._world.now(),
            checkpoint=journal_note(self._own.name, self._own.epochs, frontier, self._own.signer),
            epochs=written_epochs(self._own.epochs),
            days=tuple(days),
            heads=tuple(heads),
        )
        return sign_account(account, self._own.signer)

    async def reconcile(self, sender: NodeName, account: bytes, sizes: Sequence[int]) -> Accounted:
        """Answer a peer's account with the own one: about the same days, and about the sizes of the own journal that it asks for.

        Raises:
            Forbidden, UnknownParty: nothing is exchanged with that node.
            PeerMisbehaviour: its account is not what it has to be.
            Overloaded: it asks too often.
        """
        party = self._admit(sender)
        asked = check_sizes(sizes)
        told = read_account(decode_telling(account), roster=self._registry.roster, teller=sender, hearer=self._own.name)
        await self.sort()
        days = await self.days(party, [one.day for one in told.account.days])
        self._doubt(party, told, days)
        self.note_epoch(party, told)
        frontier = await self._journal.frontier()
        heads = [Head(size=size, root=await self._store.head(size)) for size in asked if size <= frontier.size]
        signed = self._signed(sender, frontier, days, heads=heads)
        proofs = [await self._proof(head, frontier.size) for head in heads]
        return Accounted(account=encode_telling(signed), proofs=tuple(proofs))

    async def _proof(self, head: Head, size: int) -> tuple[bytes, ...]:
        """The own journal may be damaged: what cannot be shown is not shown, and the peer finds out."""
        try:
            return await self._journal.consistency(head.size, size) if head.root else ()
        except (StoreUnavailable, NotFound):
            return ()

    def _doubt(self, party: PartyId, told: Told, days: Sequence[DayTally]) -> None:
        differing = {mine.day for mine, theirs in zip(days, told.account.days, strict=True) if not agree(mine, theirs)}
        doubted = self.doubted.setdefault(party, set())
        doubted |= set(sorted(differing)[: limits.ACCOUNT_DAYS_MAX - len(doubted)])

    async def list_day(self, sender: NodeName, *, day: int, way: Way, after: bytes) -> bytes:
        """A signed page of what crossed on a day.

        Raises:
            As `reconcile`.
        """
        party = self._admit(sender)
        day, after = check_listing_request(day, after)
        await self.sort()
        rows = limits.LISTING_ROWS_MAX
        entries = await self._store.tallied(party, day, way, after=after, rows=rows + 1)
        listing = Listing(
            teller=self._own.name,
            hearer=sender,
            at=self._world.now(),
            day=day,
            way=way,
            after=after,
            entries=entries[:rows],
            more=len(entries) > rows,
        )
        return encode_telling(sign_listing(listing, self._own.signer))

    def note_epoch(self, party: PartyId, told: Told) -> None:
        """Compare the newest epoch of a peer's journal with the one that it told before, in this run of the node."""
        newest = told.account.epochs[-1]
        if self._epochs.setdefault(party, newest) != newest:
            self._epochs[party] = newest
            self.returned.add(party)

    def _admit(self, sender: NodeName) -> PartyId:
        """Only a Party with which messages are exchanged, and not too often: each call may read a whole day from the disk."""
        if sender.party is None:
            raise Forbidden("the Secretariat exchanges no messages, so there is nothing to reconcile")
        self._registry.roster.node(sender.party)
        now = self._world.clock.now()
        calls = [at for at in self._calls.get(sender.party, []) if now - 3_600 < at <= now]
        if len(calls) >= node_limits.RECONCILE_CALLS_PER_HOUR_MAX:
            raise Overloaded("this node was asked for many accounts in this hour", hint="ask again in an hour")
        self._calls[sender.party] = [*calls, now]
        return sender.party
