"""What this node last saw of each peer: whether it answers, how soon, what its clock says, and what it says of itself.

For the eyes of officers and operators, and for no rule: nothing is sent or refused because of it. It is kept in memory, and written
down now and then, so that a node that was restarted does not begin with a blank page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from federation import limits
from federation.errors import FederationError, Incompatible, NotFound, Unreachable
from federation.identity import PartyId
from federation.ports import Clock, PeerSeen, PeerStore
from node.limits import PEER_ROUND_TRIPS_KEPT, PEER_SEEN_WRITE_S
from node.use_cases.desk_values import Check, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a node says of itself beside a call or a reply.

    Attributes:
        version: of its program; empty when it does not say.
        certificate_ends: Unix seconds; 0 when it does not say.
    """

    version: str = ""
    certificate_ends: int = 0


NOTHING_SAID = Introduction()


class PeerBook:
    """One page for each Party whose node was met. Only Parties of the directory have one: others never get so far."""

    def __init__(self) -> None:
        self._pages: dict[PartyId, PeerSeen] = {}
        self._changed: dict[PartyId, None] = {}
        self._written: dict[PartyId, float] = {}

    def of(self, party: PartyId) -> PeerSeen:
        """What is known; a blank page when nothing is."""
        return self._pages.get(party, PeerSeen(party=party))

    def offset_ms(self, party: PartyId) -> int | None:
        """How far that Party's clock is ahead."""
        return self.of(party).offset_ms

    @contextmanager
    def watching(self, party: PartyId | None, clock: Clock) -> Iterator[Callable[[Introduction, float | None], None]]:
        """Around one call of ours: what becomes of it, and how long it takes. Gives what is to be told of what came behind the reply.

        Args:
            party: whose node is called; the Secretariat's has no page.
            clock: for the times on the page. How long it takes is measured by the loop's time, which no clock that is set disturbs.
        """
        if party is None:
            yield lambda _introduction, _offset_s: None
            return
        timer = asyncio.get_running_loop().time
        began = timer()
        try:
            yield lambda introduction, offset_s: self.told(party, introduction, at=clock.now(), offset_s=offset_s)
        except Unreachable as error:
            self.missed(party, at=clock.now(), problem=error.code)
            raise
        except FederationError as error:
            # That something is not there, or that an older program does not know a call, is an answer like any other.
            problem = "" if isinstance(error, NotFound | Incompatible) else error.code
            self.reached(party, at=clock.now(), took_s=timer() - began, problem=problem)
            raise
        self.reached(party, at=clock.now(), took_s=timer() - began)

    def reached(self, party: PartyId, *, at: float, took_s: float, problem: str = "") -> None:
        """A call of ours was answered, be it with a refusal."""
        known = self.of(party)
        trips = (*known.round_trips_ms, round(1_000 * min(took_s, limits.RPC_TIMEOUT_S)))[-PEER_ROUND_TRIPS_KEPT:]
        self._put(replace(known, reached=int(at), failures=0, failing_since=0, problem=problem, round_trips_ms=trips))

    def missed(self, party: PartyId, *, at: float, problem: str) -> None:
        """Nobody answered a call of ours."""
        known = self.of(party)
        since = known.failing_since or int(at)
        self._put(replace(known, failures=known.failures + 1, failing_since=since, problem=problem))

    def heard(self, party: PartyId, introduction: Introduction, *, at: float) -> None:
        """It called."""
        self._put(replace(self._introduced(party, introduction, at=at), heard=int(at)))

    def told(self, party: PartyId, introduction: Introduction, *, at: float, offset_s: float | None) -> None:
        """What came behind a reply: what it says of itself, and its clock when it said what time it is."""
        known = self._introduced(party, introduction, at=at)
        if offset_s is not None:
            known = replace(known, offset_ms=round(1_000 * offset_s), offset_at=int(at))
        self._put(known)

    def _introduced(self, party: PartyId, introduction: Introduction, *, at: float) -> PeerSeen:
        known = self.of(party)
        told = (
            introduction.version or known.version,
            introduction.certificate_ends or known.certificate_ends,
            int(at) if introduction.certificate_ends else known.certificate_seen,
        )
        if told == (known.version, known.certificate_ends, known.certificate_seen):
            return known  # as nearly every call of a busy peer
        version, ends, seen = told
        return replace(known, version=version, certificate_ends=ends, certificate_seen=seen)

    def _put(self, seen: PeerSeen) -> None:
        self._pages[seen.party] = seen
        self._changed[seen.party] = None

    # --- what stays -------------------------------------------------------------------------------------------------------

    def recall(self, kept: Iterable[PeerSeen]) -> None:
        """What an earlier run of this node wrote down; what was seen since counts more."""
        for seen in kept:
            self._pages.setdefault(seen.party, seen)

    async def write(self, store: PeerStore, clock: Clock) -> None:
        """Write down what has changed, each page at most once in PEER_SEEN_WRITE_S.

        Raises:
            StoreUnavailable: the next call tries again.
        """
        now = clock.now()
        due = [party for party in self._changed if abs(now - self._written.get(party, 0.0)) >= PEER_SEEN_WRITE_S]
        if not due:
            return
        for party in due:
            del self._changed[party]
            self._written[party] = now
        try:
            await store.put_peers(tuple(self._pages[party] for party in due))
        except BaseException:
            self._changed.update(dict.fromkeys(due))
            for party in due:
                self._written.pop(party, None)
            raise

    # --- what `gsp doctor` says -------------------------------------------------------------------------------------------

    def check(self, parties: Container[PartyId]) -> Check:
        """Certificates of other Parties' nodes that end soon: their operators may not know it.

        Args:
            parties: those in the directory.
        """
        name = "peers' certificates"
        known = {party: seen for party, seen in self._pages.items() if party in parties and seen.certificate_ends}
        ending = {party: seen for party, seen in known.items() if certificate_ends_soon(seen)}
        if not ending:
            return Check(name=name, health=Health.GOOD, words=f"{len(known)} are known, and none of them was about to end")
        words = ", ".join(
            f"that of {party} had {max(0, seen.certificate_ends - seen.certificate_seen) // 3_600} h left at the last contact"
            for party, seen in sorted(ending.items())
        )
        hint = "tell those Parties: their nodes should have renewed them, and cannot be reached afterwards"
        return Check(name=name, health=Health.WARNING, words=words, hint=hint)


def certificate_ends_soon(seen: PeerSeen) -> bool:
    """Whether a peer's node should have renewed its certificate before we saw it last: nodes do so at half its life."""
    left_s = seen.certificate_ends - seen.certificate_seen
    return bool(seen.certificate_ends) and left_s <= limits.NODE_CERTIFICATE_LIFE_S / 4
