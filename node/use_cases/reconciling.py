"""Journals that agree: once a day this node asks peers for their accounts, and judges them.

Theory of operation. A visit has rounds. In each, the two hand each other signed accounts of the days that are not agreed
(`federation.evidence.account`); this node names the sizes of the peer's journal for which it holds checkpoints, from receipts and from
the account before, and the peer shows by hashes that its journal continues each of them. Where a day differs, both lists of it are
read and every difference gets a name. What was found is one commit with a journal record of it. Then the messages that the peer
lost are sent again.

Whom it asks: each peer with which something crossed that was not compared yet, and once after a start every peer, because what this
node remembers may come from a backup. Where nothing crossed there is nothing to compare but the journal, once a week.

What is under way, and what never arrived, is no difference: the sender holds no receipt for it. A difference that is gone at a
later visit is marked as healed, and stays on record; an alarm about a journal stays as it is.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from federation import limits
from federation.boundary.accounts import (
    Told,
    check_proofs,
    held_by_receipt,
    judge_account,
    judge_told,
    read_account,
    read_listing,
)
from federation.boundary.receipts import journal_leaf
from federation.delivery.receipt import SignedReceipt
from federation.errors import FederationError, Malformed, Unavailable
from federation.evidence.account import (
    CONTRADICTIONS,
    Crossed,
    DayTally,
    DifferenceKind,
    Held,
    Judgement,
    SignedTelling,
    Way,
    agree,
    day_of,
    differences,
)
from federation.evidence.journal import NO_MESSAGE, SALT_BYTES, JournalKind, JournalRecord, Leaf
from federation.identity import MessageId, PartyId
from federation.ports import (
    Alarm,
    Change,
    ComparedDay,
    Difference,
    ExchangeStore,
    Peer,
    Reconciled,
    ReconcileService,
    ReconcileStore,
    Standing,
)
from federation.wire.account import Contradiction, decode_telling, encode_contradiction
from node import limits as node_limits
from node.use_cases.accounting import Accounting
from node.use_cases.registry import Registry
from node.use_cases.resending import Resending
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)

_CLAIMS_MAX: Final = limits.ACCOUNT_HEADS_MAX - 1
"""Receipts of one round: the account before is held against the new one, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """Something that the peer signed, and the checkpoint in it."""

    signed: SignedReceipt | SignedTelling
    held: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day after both lists were compared."""

    compared: ComparedDay
    found: tuple[Difference, ...] = ()


class Reconciling:
    """Asks peers for their accounts and judges them."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ReconcileStore,
        exchange_store: ExchangeStore,
        service: ReconcileService,
        registry: Registry,
        accounting: Accounting,
        resending: Resending,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._exchange_store = exchange_store
        self._service = service
        self._registry = registry
        self._accounting = accounting
        self._resending = resending
        self._tried: dict[PartyId, float] = {}

    async def look(self) -> None:
        """Visit every peer whose day has come. One that does not answer keeps no other from being asked."""
        await self._accounting.sort()
        for standing in await self._store.standings():
            if self._is_due(standing):
                self._tried[standing.peer] = self._world.clock.now()
                await self.visit(standing.peer)

    def _is_due(self, standing: Standing) -> bool:
        now = self._world.clock.now()
        tried = self._tried.get(standing.peer)
        if tried is not None and tried <= now < tried + node_limits.RECONCILE_RETRY_S:
            return False
        if standing.problem:
            return True  # a visit that was cut short is made again within the day
        rests = tried is not None and self._is_quiet(standing)
        every_s = node_limits.RECONCILE_QUIET_S if rests else node_limits.RECONCILE_EVERY_S
        return not standing.visited <= now < standing.visited + every_s

    def _is_quiet(self, standing: Standing) -> bool:
        """Whether nothing waits to be compared with that peer. A receipt that waits to be proved opens its day."""
        if standing.peer in self._accounting.returned or self._accounting.doubted.get(standing.peer):
            return False
        return standing.open_day is None or standing.open_day >= self._today()

    async def visit(self, party: PartyId) -> None:
        """Reconcile with one peer as far as it goes; what stands in the way is written down, not raised.

        Raises:
            StoreUnavailable: not even that could be written.
        """
        try:
            peer = self._registry.peer(party)
        except FederationError:
            return  # it was suspended, or has left: nothing is exchanged with it, and nothing is wrong
        try:
            await self._rounds(peer, party)
            if await self._send_again(peer, party):
                await self._rounds(peer, party)  # and it is seen at once that they are there
        except FederationError as error:
            logger.info("a peer gave no account", extra={"peer": party, "problem": error.code})
            standing = await self._standing(party)
            since = standing.failing_since or self._world.now()
            failed = replace(standing, problem=error.code, failing_since=since)
            await self._exchange_store.commit(Change(reconciled=(Reconciled(standing=failed),)))

    async def _standing(self, party: PartyId) -> Standing:
        known = (one for one in await self._store.standings() if one.peer == party)
        return next(known, Standing(peer=party))

    async def _rounds(self, peer: Peer, party: PartyId) -> None:
        """One account after another until every day was looked at once and every receipt is proved."""
        seen: set[int] = set()
        for _ in range(node_limits.RECONCILE_ROUNDS_MAX):
            days = await self._open_days(party)
            claims = await self._claims(party)
            await self._round(peer, party, days, claims)
            seen |= set(days)
            if len(claims) < _CLAIMS_MAX and seen.issuperset(await self._open_days(party)):
                return

    async def _round(self, peer: Peer, party: PartyId, days: Sequence[int], claims: dict[MessageId, _Claim]) -> None:
        """One account, judged and written down."""
        standing = await self._standing(party)
        earlier = self._earlier(standing, peer)
        sizes = {claim.held.size for claim in claims.values()} | ({earlier.checkpoint.size} if earlier is not None else set())
        sizes = {size for size in sizes if size > 0}
        mine = await self._accounting.days(party, days)
        account = await self._accounting.account(peer.name, mine)
        accounted = await self._service.reconcile(peer, account, sorted(sizes))
        signed = decode_telling(accounted.account)
        told = read_account(signed, roster=self._registry.roster, teller=peer.name, hearer=self._own.name)
        _check_about(told, days, sizes)
        alarms = self._alarms(told, earlier, claims)
        check_proofs(told, accounted.proofs, contradicted={alarm.size for alarm in alarms})
        compared = [await self._compare(peer, party, ours, theirs) for ours, theirs in zip(mine, told.account.days, strict=True)]
        await self._write(party, told, proved=tuple(claims), alarms=alarms, days=compared, reopen=_came_back(earlier, told))
        self._accounting.doubted.get(party, set()).difference_update(days)
        self._accounting.note_epoch(party, told)
        self._accounting.returned.discard(party)

    async def _open_days(self, party: PartyId) -> tuple[int, ...]:
        """The days of the next account: doubted ones first, then those that have to be compared and were not in this visit."""
        today = self._today()
        since = today - node_limits.RECONCILE_DAYS_BACK
        doubted = {day for day in self._accounting.doubted.get(party, ()) if since <= day < today}
        room = limits.ACCOUNT_DAYS_MAX - len(doubted)
        waiting = await self._store.open_days(party, since=since, before=today, rows=room)
        return tuple(sorted(doubted | set(waiting)))

    def _today(self) -> int:
        """The first day that is too young to be compared."""
        return day_of(self._world.clock.now() - node_limits.RECONCILE_GRACE_S)

    def _earlier(self, standing: Standing, peer: Peer) -> Told | None:
        if standing.account is None:
            return None
        try:
            return read_account(standing.account, roster=self._registry.roster, teller=peer.name)
        except FederationError:
            return None  # the peer's key was revoked since, or its node is another one

    async def _claims(self, party: PartyId) -> dict[MessageId, _Claim]:
        receipts = await self._store.unproved(party, rows=_CLAIMS_MAX)
        return {message_id: _Claim(signed=signed, held=held_by_receipt(signed)) for message_id, signed in receipts}

    def _alarms(self, told: Told, earlier: Told | None, claims: dict[MessageId, _Claim]) -> tuple[Alarm, ...]:
        """Everything that this account contradicts."""
        found: list[Alarm] = []
        if earlier is not None and (judgement := judge_account(earlier, told)) in CONTRADICTIONS:
            found.append(self._alarm(_Claim(signed=earlier.signed, held=earlier.held), judgement, told))
        for claim in claims.values():
            judgement = judge_told(claim.held, told)
            if judgement in CONTRADICTIONS:
                found.append(self._alarm(claim, judgement, told))
        return tuple(found)

    def _alarm(self, claim: _Claim, judgement: Judgement, told: Told) -> Alarm:
        proof = encode_contradiction(Contradiction(earlier=claim.signed, account=told.signed))
        return Alarm(judgement=judgement, epoch=claim.held.epoch, size=claim.held.size, found=self._world.now(), proof=proof)

    async def _compare(self, peer: Peer, party: PartyId, mine: DayTally, theirs: DayTally) -> _Day:
        compared = ComparedDay(
            day=mine.day,
            compared=self._world.now(),
            agreed=True,
            sent=mine.sent,
            they_have=theirs.received,
            received=mine.received,
            they_sent=theirs.sent,
        )
        if agree(mine, theirs):
            return _Day(compared=compared)
        found = [
            *await self._differing(peer, party, mine.day, Way.SENT),
            *await self._differing(peer, party, mine.day, Way.RECEIVED),
        ]
        return _Day(compared=replace(compared, agreed=not found), found=tuple(found))

    async def _differing(self, peer: Peer, party: PartyId, day: int, way: Way) -> list[Difference]:
        """Of what this node sent, its own list is read first, and of what it received, last: what crosses meanwhile is on both."""
        entries: Sequence[Crossed] = await self._accounting.entries(party, day, way) if way is Way.SENT else ()
        pages = await self._listing(peer, day, way.other)
        if way is Way.RECEIVED:
            await self._accounting.sort()
            entries = await self._accounting.entries(party, day, way)
        theirs = [entry for _, page, _ in pages for entry in page]
        return [
            Difference(kind=kind, message_id=message_id, day=day, found=self._world.now(), evidence=_evidence(pages, message_id))
            for kind, message_id in differences(entries, theirs, way=way)
        ]

    async def _listing(self, peer: Peer, day: int, way: Way) -> list[tuple[bytes, tuple[Crossed, ...], SignedTelling]]:
        """All pages of a peer's list: what each begins behind, its entries, and its signed bytes."""
        pages: list[tuple[bytes, tuple[Crossed, ...], SignedTelling]] = []
        after = b""
        for _ in range(node_limits.LISTING_PAGES_MAX):
            signed = decode_telling(await self._service.list_day(peer, day=day, way=way, after=after))
            listing = read_listing(signed, roster=self._registry.roster, teller=peer.name, hearer=self._own.name)
            if (listing.day, listing.way, listing.after) != (day, way, after):
                raise Malformed("a listing is about something else than was asked")
            pages.append((after, listing.entries, signed))
            if not listing.more:
                return pages
            after = listing.entries[-1].message_id
        raise Malformed("a listing does not end")

    async def _write(
        self,
        party: PartyId,
        told: Told,
        *,
        proved: tuple[MessageId, ...],
        alarms: tuple[Alarm, ...],
        days: Sequence[_Day],
        reopen: bool,
    ) -> None:
        _, known, sounded = await self._store.findings(party)
        found = {(one.kind, one.message_id): one for day in days for one in day.found}
        compared = {day.compared.day for day in days}
        now = self._world.now()
        healed = [
            replace(one, healed=now)
            for one in known
            if not one.healed and one.day in compared and (one.kind, one.message_id) not in found
        ]
        news = [
            one.kind for one in found.values() if (one.kind, one.message_id) not in {(old.kind, old.message_id) for old in known}
        ]
        loud = {(one.epoch, one.size, one.judgement) for one in sounded}
        fresh = [one for one in alarms if (one.epoch, one.size, one.judgement) not in loud]
        new_alarms = tuple(fresh[: node_limits.ALARMS_PER_VISIT_MAX])  # a rewritten journal contradicts all that came after
        reconciled = Reconciled(
            standing=Standing(peer=party, visited=now, account=told.signed),
            days=tuple(day.compared for day in days),
            reopen_all=reopen,
            proved=proved,
            differences=(*found.values(), *healed),
            alarms=new_alarms,
        )
        words = [*map(str, news), *(str(one.judgement) for one in new_alarms)]
        leaves = (self._leaf(party, told.signed, words),) if words else ()
        if words:
            logger.warning("a peer's account differs", extra={"peer": party, "found": dict(Counter(words))})
        await self._exchange_store.commit(Change(reconciled=(reconciled,), leaves=leaves))

    def _leaf(self, party: PartyId, signed: SignedTelling, words: Sequence[str]) -> Leaf:
        """What was found, in the journal."""
        record = JournalRecord(
            kind=JournalKind.ALARM,
            at=self._world.now(),
            message_id=NO_MESSAGE,
            peer=party,
            digest=sha256(signed.statement).digest(),
            note=", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items())),
        )
        return journal_leaf(record, salt=self._world.entropy(SALT_BYTES))

    async def _send_again(self, peer: Peer, party: PartyId) -> int:
        """What the peer lost; gives how much of it was taken. One message that it refuses keeps no other from it."""
        _, found, _ = await self._store.findings(party)
        young = self._world.now() - node_limits.RESEND_S
        lost = [one for one in found if one.kind is DifferenceKind.LOST_THERE and not one.healed and one.found > young]
        taken = 0
        for one in lost[: node_limits.RESENT_PER_VISIT_MAX]:
            try:
                taken += await self._resending.again(peer, one.message_id)
            except Unavailable:
                raise
            except FederationError as error:
                logger.info("a peer does not take what it lost", extra={"peer": party, "problem": error.code})
        return taken


def _check_about(told: Told, days: Sequence[int], sizes: set[int]) -> None:
    """An account speaks of what was asked, and of nothing else."""
    if [one.day for one in told.account.days] != list(days):
        raise Malformed("an account is about other days than were asked")
    if {head.size for head in told.account.heads} != {size for size in sizes if size <= told.checkpoint.size}:
        raise Malformed("an account is about other sizes of the journal than were asked")


def _came_back(earlier: Told | None, told: Told) -> bool:
    """Whether the peer was put back from a backup since: what was agreed with it may be gone there."""
    return earlier is not None and earlier.account.epochs[-1] != told.account.epochs[-1]


def _evidence(pages: Sequence[tuple[bytes, tuple[Crossed, ...], SignedTelling]], message_id: MessageId) -> SignedTelling:
    """The page on which a message stands, or would stand."""
    return [signed for after, _, signed in pages if after < message_id][-1]
