"""The outbox as people see it: what waits for whom, what a peer refused for good, and the way out of that.

A message that was refused for good is held: it is not tried again, and delays nothing. A person who may ask or answer, or an
administrator, sends it once more when the reason is mended, or gives it up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from federation.delivery.lanes import RANK
from federation.delivery.outbox import Outgoing, released
from federation.delivery.timeline import Step
from federation.envelope.header import Lane, MessageKind
from federation.errors import NotFound
from federation.identity import MessageId, OfficerName, PartyId
from federation.ports import ArrivalStore, Change, Direction, ExchangeStore, OutboxStore, Poison, TimelineEvent
from node import limits as node_limits
from node.use_cases.asking import Asking
from node.use_cases.budgets import Budgets
from node.use_cases.desk_values import Check, Health
from node.use_cases.entitlement import Entitlement
from node.use_cases.numbers import Numbers, words_of
from node.use_cases.outbox import Outbox
from node.use_cases.registry import Registry
from node.use_cases.world import Turns, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits for one peer.

    Attributes:
        lanes: how many messages of each lane, the most urgent lane first.
        since: Unix seconds when the oldest was written down.
        away: the peer does not answer, and one message at a time probes it.
        next_try_s: seconds until the next probe; 0 when the peer is not away.
        problem: why the oldest did not get through at its last try, as an error code, or empty.
    """

    peer: PartyId
    lanes: tuple[tuple[Lane, int], ...]
    since: int
    away: bool
    next_try_s: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxView:
    """Everything about deliveries that a person may have to look at.

    Attributes:
        queues: by Party; only those for which something waits.
        held: refused for good, the longest held first.
        poisons: what came in, is what it says, and was failed over here.
        numbers: what is odd about the numbers of what came in, in words.
    """

    queues: tuple[Queue, ...]
    held: tuple[Outgoing, ...]
    poisons: tuple[Poison, ...]
    numbers: tuple[str, ...]


class Held:
    """Behind `gsp outbox`."""

    def __init__(
        self,
        *,
        world: World,
        store: ExchangeStore,
        waiting: OutboxStore,
        arrivals: ArrivalStore,
        registry: Registry,
        outbox: Outbox,
        asking: Asking,
        numbers: Numbers,
        turns: Turns,
        entitlement: Entitlement,
    ) -> None:
        self._world = world
        self._store = store
        self._waiting = waiting
        self._arrivals = arrivals
        self._registry = registry
        self._outbox = outbox
        self._asking = asking
        self._numbers = numbers
        self._turns = turns
        self._may = entitlement.require

    async def outbox_view(self, officer: OfficerName) -> OutboxView:
        """What waits, what is held, and what is odd."""
        await self._may(officer, "outbox_view")
        queues = [await self._queue(party) for party in sorted(self._registry.roster.parties)]
        return OutboxView(
            queues=tuple(queue for queue in queues if queue is not None),
            held=await self._waiting.held(rows=node_limits.HELD_ROWS_MAX),
            poisons=await self._arrivals.poisons(rows=node_limits.POISONS_MAX),
            numbers=tuple(words_of(track, notice) for track, notice in self._numbers.odd()),
        )

    async def _queue(self, peer: PartyId) -> Queue | None:
        rows = [row for row in await self._waiting.waiting(peer) if not row.held_since]
        if not rows:
            return None
        lanes = Counter(row.lane for row in rows)
        wait_s = self._outbox.away_s(peer)
        return Queue(
            peer=peer,
            lanes=tuple((lane, lanes[lane]) for lane in sorted(lanes, key=lambda one: RANK[one])),
            since=min(row.created for row in rows),
            away=wait_s is not None,
            next_try_s=round(wait_s or 0),
            problem=rows[0].problem,
        )

    async def outbox_retry(self, officer: OfficerName, message_id: MessageId) -> Outgoing:
        """Send a held message once more; gives it as it waits now.

        Raises:
            NotFound: no message of that id is held.
        """
        await self._may(officer, "outbox_retry", message_id=message_id)
        async with self._turns.of(message_id):
            again = released(await self._held(message_id), now=self._world.clock.now())
            await self._store.commit(Change(outgoing=(again,)))
        self._outbox.nudge()
        return again

    async def outbox_drop(self, officer: OfficerName, message_id: MessageId) -> Outgoing:
        """Give a held message up: it is never sent. A query ends with it, as one whose deadline has passed.

        Raises:
            NotFound: no message of that id is held.
        """
        await self._may(officer, "outbox_drop", message_id=message_id)
        outgoing = await self._held(message_id)
        if outgoing.kind is MessageKind.QUERY:
            await self._asking.expire(message_id)
        async with self._turns.of(message_id):
            now = self._world.now()
            given_up = TimelineEvent(direction=Direction.SENT, message_id=message_id, step=Step.GIVEN_UP, first=now, last=now)
            await self._store.commit(Change(outgoing_done=(message_id,), events=(given_up,)))
        return outgoing

    async def _held(self, message_id: MessageId) -> Outgoing:
        """One that is held: there are never more than a person can look at, or the person looks at the oldest first."""
        for outgoing in await self._waiting.held(rows=node_limits.HELD_ROWS_MAX):
            if outgoing.message_id == message_id:
                return outgoing
        raise NotFound("no message of this id is held", hint="`gsp outbox list` shows those that are, the oldest first")


async def arrival_checks(numbers: Numbers, budgets: Budgets, arrivals: ArrivalStore, waiting: OutboxStore) -> Sequence[Check]:
    """What `gsp doctor` says of deliveries beside what waits."""
    held = await waiting.held(rows=node_limits.HELD_ROWS_MAX)
    poisons = await arrivals.poisons(rows=node_limits.POISONS_MAX)
    checks = [numbers.check(), budgets.check()]
    if held:
        peers = Counter(str(one.peer) for one in held)
        words = ", ".join(f"{count} by {peer}" for peer, count in sorted(peers.items()))
        hint = "`gsp outbox list` says why; then `gsp outbox retry` or `gsp outbox drop`"
        checks.append(Check(name="refused messages", health=Health.WARNING, words=f"refused for good: {words}", hint=hint))
    if poisons:
        words = f"{len(poisons)} came in and this node failed over them; the first: {poisons[0].reason}"
        hint = "a defect of gsp-node: report it with these words; the senders know that their messages were not taken"
        checks.append(Check(name="messages not taken", health=Health.BAD, words=words, hint=hint))
    return checks
