"""`gsp peers`: how other Parties' nodes do, as this node has seen them at work. Nobody is probed for it."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Final

from federation import limits
from federation.errors import NotFound
from federation.identity import PartyId
from federation.ports import OutboxStore, PeerSeen
from federation.trust.roster import PartyRecord, Status
from node.limits import PEER_WAITING_SHOWN_MAX
from node.use_cases.peer_book import PeerBook, certificate_ends_soon
from node.use_cases.registry import Registry
from node.use_cases.why_values import PeerView, Weather
from node.use_cases.world import Own

CLOCK_OFF_MS: Final = 1_000 * limits.CLOCK_OFFSET_WARN_S


class WeatherStation:
    """Puts together what the directory, the outbox and the book of peers know of each Party that has a node."""

    def __init__(self, *, own: Own, registry: Registry, waiting: OutboxStore, book: PeerBook) -> None:
        self._own = own
        self._registry = registry
        self._waiting = waiting
        self._book = book

    async def look(self, party: PartyId | None) -> tuple[PeerView, ...]:
        """All of them by Party, or one with what waits for it.

        Raises:
            NotFound: no node of that Party is known here.
        """
        if party is None:
            return tuple([await self._view(one, record, rows=0) for one, record in sorted(self._others().items())])
        record = self._others().get(party)
        if record is None:
            raise NotFound(f"the directory here lists no node of {party}", hint="`gsp peers` lists those that there are")
        return (await self._view(party, record, rows=PEER_WAITING_SHOWN_MAX),)

    def _others(self) -> Mapping[PartyId, PartyRecord]:
        records = self._registry.roster.parties.items()
        return {party: record for party, record in records if party != self._own.party and record.node is not None}

    async def _view(self, party: PartyId, record: PartyRecord, *, rows: int) -> PeerView:
        waiting, seen = await self._waiting.waiting(party), self._book.of(party)
        assert record.node is not None  # those alone are looked at
        return PeerView(
            party=party,
            name=record.name,
            node=record.node.node.dns,
            endpoint=record.node.endpoint,
            status=record.status,
            weather=weather_of(seen, record.status),
            seen=seen,
            waiting=len(waiting),
            waiting_since=min((one.created for one in waiting), default=0),
            rows=waiting[:rows],
        )


def weather_of(seen: PeerSeen, status: Status) -> Weather:
    """The worst that there is to say."""
    found = {
        Weather.SUSPENDED: status is Status.SUSPENDED,
        Weather.UNREACHABLE: seen.failures > 0,
        Weather.TROUBLE: bool(seen.problem),
        Weather.CERTIFICATE: certificate_ends_soon(seen),
        Weather.CLOCK: seen.offset_ms is not None and abs(seen.offset_ms) > CLOCK_OFF_MS,
        Weather.NEVER_MET: not (seen.reached or seen.heard),
    }
    return next((weather for weather, holds in found.items() if holds), Weather.FAIR)


def delay_ms(seen: PeerSeen) -> int | None:
    """The median of the last round trips; None when there was none."""
    return round(median(seen.round_trips_ms)) if seen.round_trips_ms else None
