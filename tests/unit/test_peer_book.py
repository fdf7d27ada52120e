"""What is kept of a peer, how often it is written, and what is worth a warning."""

from __future__ import annotations

import pytest

from federation import limits
from federation.errors import Forbidden, NotFound, StoreUnavailable, Unreachable
from federation.identity import PartyId
from federation.ports import PeerSeen
from federation.trust.roster import Status
from node.limits import PEER_ROUND_TRIPS_KEPT, PEER_SEEN_WRITE_S
from node.use_cases.desk_values import Health
from node.use_cases.peer_book import NOTHING_SAID, Introduction, PeerBook
from node.use_cases.weather import delay_ms, weather_of
from node.use_cases.why_values import Weather
from tests.support.faults import Faults, When
from tests.support.memory_timeline import MemoryTimeline

QM, QN = PartyId("qm"), PartyId("qn")
NOW = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.at = float(NOW)

    def now(self) -> float:
        return self.at


def test_failures_are_counted_from_the_first_until_somebody_answers():
    book = PeerBook()
    for at in (NOW, NOW + 10, NOW + 20):
        book.missed(QM, at=at, problem="unreachable")
    assert (book.of(QM).failures, book.of(QM).failing_since, book.of(QM).problem) == (3, NOW, "unreachable")

    book.heard(QM, NOTHING_SAID, at=NOW + 25)  # that it calls does not say that it can be called
    assert book.of(QM).failures == 3
    book.reached(QM, at=NOW + 30, took_s=0.25)
    assert book.of(QM) == PeerSeen(party=QM, reached=NOW + 30, heard=NOW + 25, round_trips_ms=(250,))


def test_the_delay_is_the_median_of_the_last_calls():
    book = PeerBook()
    assert delay_ms(book.of(QM)) is None
    for took_s in (9.0, *(0.010 for _ in range(PEER_ROUND_TRIPS_KEPT - 2)), 5.0, 0.012):
        book.reached(QM, at=NOW, took_s=took_s)

    assert len(book.of(QM).round_trips_ms) == PEER_ROUND_TRIPS_KEPT
    assert delay_ms(book.of(QM)) == 10


def ends_with(error: Exception, book: PeerBook, clock: Clock) -> None:
    """A call to qm, behind whose end the peer tells its version and its time."""
    with book.watching(QM, clock) as meet:
        meet(Introduction(version="9.9.9"), 7.0)
        raise error


async def test_a_refusal_is_an_answer_of_the_node_and_silence_is_none():
    book, clock = PeerBook(), Clock()
    for error in (Unreachable("away"), Forbidden("no"), NotFound("nothing")):
        with pytest.raises(type(error)):
            ends_with(error, book, clock)
        kept = book.of(QM)
        if isinstance(error, Unreachable):
            assert (kept.failures, kept.reached, kept.problem) == (1, 0, "unreachable")
        else:
            assert (kept.failures, kept.reached) == (0, NOW)
            assert kept.problem == ("forbidden" if isinstance(error, Forbidden) else "")
    assert (book.of(QM).version, book.offset_ms(QM)) == ("9.9.9", 7_000)


async def test_the_secretariats_node_has_no_page():
    book = PeerBook()
    with book.watching(None, Clock()) as meet:
        meet(Introduction(version="1"), 1.0)

    assert book.of(QM) == PeerSeen(party=QM)
    assert not book._pages


async def test_a_page_is_written_at_most_once_a_minute_and_only_when_it_has_changed():
    book, clock, store = PeerBook(), Clock(), MemoryTimeline(Faults(), set())
    book.missed(QM, at=NOW, problem="unreachable")
    await book.write(store, clock)
    book.missed(QM, at=NOW, problem="unreachable")
    book.missed(QN, at=NOW, problem="unreachable")
    clock.at += PEER_SEEN_WRITE_S - 1
    await book.write(store, clock)
    assert [(one.party, one.failures) for one in await store.peers()] == [(QM, 1), (QN, 1)]

    clock.at += 1
    await book.write(store, clock)
    await book.write(store, clock)
    assert [(one.party, one.failures) for one in await store.peers()] == [(QM, 2), (QN, 1)]
    assert store.faults.calls["put_peers"] == 3


@pytest.mark.parametrize("when", When)
async def test_a_page_that_could_not_be_written_is_written_at_the_next_look(when):
    faults = Faults()
    book, clock, store = PeerBook(), Clock(), MemoryTimeline(faults, set())
    book.missed(QM, at=NOW, problem="unreachable")
    faults.fail("put_peers", when)
    with pytest.raises(StoreUnavailable):
        await book.write(store, clock)
    await book.write(store, clock)

    assert await store.peers() == (book.of(QM),)


def test_what_was_seen_since_the_start_counts_more_than_what_was_kept():
    book = PeerBook()
    book.heard(QM, NOTHING_SAID, at=NOW)
    book.recall([PeerSeen(party=QM, heard=1, version="0"), PeerSeen(party=QN, heard=2)])

    assert (book.of(QM).heard, book.of(QN).heard) == (NOW, 2)


def test_a_certificate_that_should_have_been_renewed_before_the_last_contact_is_a_warning():
    book, quarter = PeerBook(), limits.NODE_CERTIFICATE_LIFE_S // 4
    book.heard(QM, Introduction(certificate_ends=NOW + quarter + 1), at=NOW)
    assert book.check({QM}).health is Health.GOOD

    book.heard(QM, Introduction(certificate_ends=NOW + quarter), at=NOW)
    check = book.check({QM})
    assert (check.health, check.hint != "") == (Health.WARNING, True)
    assert f"that of qm had {quarter // 3_600} h left" in check.words
    assert book.check({QN}).health is Health.GOOD  # a Party that has left is nobody's trouble


@pytest.mark.parametrize(
    ("seen", "status", "weather"),
    [
        (PeerSeen(party=QM), Status.ACTIVE, Weather.NEVER_MET),
        (PeerSeen(party=QM, heard=1), Status.PILOT, Weather.FAIR),
        (PeerSeen(party=QM, heard=1, offset_ms=30_000), Status.ACTIVE, Weather.FAIR),
        (PeerSeen(party=QM, heard=1, offset_ms=-30_001), Status.ACTIVE, Weather.CLOCK),
        (
            PeerSeen(party=QM, heard=1, offset_ms=-90_000, certificate_ends=9, certificate_seen=8),
            Status.ACTIVE,
            Weather.CERTIFICATE,
        ),
        (
            PeerSeen(party=QM, heard=1, problem="forbidden", certificate_ends=9, certificate_seen=8),
            Status.ACTIVE,
            Weather.TROUBLE,
        ),
        (PeerSeen(party=QM, failures=1, problem="unreachable"), Status.ACTIVE, Weather.UNREACHABLE),
        (PeerSeen(party=QM, failures=1, problem="unreachable"), Status.SUSPENDED, Weather.SUSPENDED),
    ],
)
def test_the_worst_is_told_first(seen, status, weather):
    assert weather_of(seen, status) is weather
