"""Every change tells what it means for the timelines of its messages, in the commit that it is.

The lines are read off the change itself, in one place: no step of the exchange has to remember to tell them, and none can tell
something else than it does. What a change cannot show, its maker adds to `Change.events`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from federation.delivery.outbox import Outgoing
from federation.delivery.timeline import Step, TimelineEvent
from federation.evidence.journal import Position
from federation.identity import MessageId, PartyId
from federation.ports import (
    AskedQuery,
    Change,
    Crossing,
    DecryptionKey,
    Direction,
    ExchangeStore,
    ReceivedQuery,
)
from federation.query.lifecycle import AskedState, ReceivedState

Offset = Callable[[PartyId], int | None]
"""How far a Party's clock is ahead, in milliseconds; None when nobody knows."""


class Chronicle(ExchangeStore):
    """The store with timelines: whoever commits through it tells them.

    Args:
        now: Unix seconds.
        offset: asked for the Party of each line.
    """

    def __init__(self, store: ExchangeStore, *, now: Callable[[], int], offset: Offset) -> None:
        self._store = store
        self._now = now
        self._offset = offset

    async def commit(self, change: Change) -> tuple[Position, ...]:
        told = tuple(lines_of(change, at=self._now(), offset=self._offset))
        gone = tuple((Direction(way), one) for way, one in change.erased.crossings) if change.erased is not None else ()
        if told or gone:
            change = replace(change, events=(*change.events, *told), events_erased=(*change.events_erased, *gone))
        return await self._store.commit(change)

    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        return await self._store.asked(message_id)

    async def received(self, message_id: MessageId) -> ReceivedQuery | None:
        return await self._store.received(message_id)

    async def crossing(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        return await self._store.crossing(direction, message_id)

    async def asked_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[AskedQuery, ...]:
        return await self._store.asked_page(before=before, rows=rows, before_id=before_id)

    async def received_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[ReceivedQuery, ...]:
        return await self._store.received_page(before=before, rows=rows, before_id=before_id)

    async def keys(self) -> tuple[DecryptionKey, ...]:
        return await self._store.keys()


def lines_of(change: Change, *, at: int, offset: Offset) -> Iterator[TimelineEvent]:
    """What a change tells of its messages.

    Args:
        change: as its maker gives it to the store.
        at: Unix seconds: now.
        offset: of the Parties' clocks.
    """
    for crossing in change.crossings:
        direction, identifier = crossing.direction, crossing.message_id
        yield _line(direction, identifier, _step_of(crossing, change), at, offset(crossing.peer))
    sealed = {crossing.message_id for crossing in change.crossings if crossing.direction is Direction.SENT}
    for outgoing in change.outgoing:
        if outgoing.attempts and outgoing.message_id not in sealed:
            yield from _tried(outgoing, at, offset(outgoing.peer))
    for identifier, _ in change.receipts:
        yield _line(Direction.SENT, identifier, Step.DELIVERED, at, _offset_of_receipt(identifier, change, offset))
    yield from _expired(change, at)


def _step_of(crossing: Crossing, change: Change) -> Step:
    if crossing.direction is Direction.SENT:
        return Step.SEALED if crossing.digest else Step.QUEUED
    is_new = any(mark.message_id == crossing.message_id for mark in change.marks)
    return Step.RECEIVED if is_new else Step.REPEATED


def _tried(outgoing: Outgoing, at: int, offset_ms: int | None) -> Iterator[TimelineEvent]:
    """A row that was tried before: a try has failed, perhaps for good; or a person wants another one, and has cleared the problem."""
    line = partial(_line, Direction.SENT, outgoing.message_id, at=at, offset_ms=offset_ms)
    if not outgoing.problem:
        yield line(Step.RELEASED)
        return
    yield replace(line(Step.TRIED), reason=outgoing.problem)
    if outgoing.held_since:
        yield replace(line(Step.HELD), reason=outgoing.problem)


def _offset_of_receipt(identifier: MessageId, change: Change, offset: Offset) -> int | None:
    """A query's receipt comes with the query; an answer's without anything that names its Party."""
    return next((offset(asked.peer) for asked in change.asked if asked.message_id == identifier), None)


def _expired(change: Change, at: int) -> Iterator[TimelineEvent]:
    """A query that ends without an answer; a receipt or an answer that comes later finds it ended and ends nothing."""
    came = {crossing.conversation for crossing in change.crossings} | {identifier for identifier, _ in change.receipts}
    for asked in change.asked:
        ends = asked.state is AskedState.EXPIRED and asked.message_id in change.outgoing_done
        if ends and asked.message_id not in came:
            yield _line(Direction.SENT, asked.message_id, Step.EXPIRED, at, None)
    for received in change.received:
        if received.state is ReceivedState.EXPIRED and received.message_id not in came:
            yield _line(Direction.RECEIVED, received.message_id, Step.EXPIRED, at, None)


def _line(direction: Direction, message_id: MessageId, step: Step, at: int, offset_ms: int | None) -> TimelineEvent:
    return TimelineEvent(direction=direction, message_id=message_id, step=step, first=at, last=at, offset_ms=offset_ms)
