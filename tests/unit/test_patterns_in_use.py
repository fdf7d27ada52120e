"""Pattern sets at a node while mandates come and end, and while somebody publishes without end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from federation.errors import Unreachable
from federation.identity import PartyId
from federation.ports import Peer
from federation.trust.entries import Confirm, Suspend, TreatyPolicy, Withdraw
from federation.uim.codes import Label
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.segments import CharacterSegment, Charset, LiteralSegment
from federation.wire.patterns import encode_pattern_set
from node.use_cases.desk_values import Membership, RankedParty, Standing
from node.use_cases.library import Patterns
from node.use_cases.pattern_sets import LibraryRow, SetState, pattern_set_digest
from node.use_cases.registry import Registry
from node.use_cases.world import World
from tests.support.memory_stores import MemoryDirectory, MemoryPatterns
from tests.support.treaty import DAY, NOW, PartyMaterial, Treaty, entropy

REGION, MEMBER, OWN = PartyId("qr"), PartyId("qm"), PartyId("qn")


class Clock:
    def __init__(self) -> None:
        self.time: float = NOW

    def now(self) -> float:
        return self.time


def pattern_of(owner: PartyId) -> Pattern:
    text = f"{owner.upper()}PACK"
    return Pattern(
        pattern_id=f"pack-{owner}",
        version=1,
        owner=owner,
        title="packs",
        source="made for a test",
        label=Label.INVENTED,
        segments=(
            LiteralSegment(name="start", text=text),
            CharacterSegment(name="number", charset=Charset.DIGITS, shortest=6, longest=6),
        ),
        examples=(f"{text}000001",),
    )


SET = PatternSet(party=REGION, version=1, patterns=(pattern_of(REGION), pattern_of(MEMBER)))


class Library:
    """A node's patterns over a treaty whose log goes on."""

    def __init__(self) -> None:
        self.treaty = Treaty.make(seed=61)
        self.region, self.member = self.treaty.admit(REGION), self.treaty.admit(MEMBER)
        self.treaty.admit(OWN)
        self.clock = Clock()
        self.store = MemoryPatterns()
        self.directory = MemoryDirectory()
        self.patterns: Any = None

    async def begin(self) -> None:
        await self.directory.append(first=0, leaves=self.treaty.log, checkpoint=self.treaty.checkpoint())
        self.registry = await Registry.load(self.directory, self.treaty.genesis_digest, self.clock)
        world = World(clock=self.clock, entropy=entropy(61, "node"))
        self.patterns = Patterns(own=OWN, world=world, registry=self.registry, store=self.store, reference=())
        await self.refresh()

    async def publish(self, publisher: PartyMaterial, pattern_set: PatternSet, *, serial: int = 1) -> None:
        encoded = encode_pattern_set(pattern_set)
        await Patterns.publish(self.patterns, [pattern_set])
        self.treaty.announce(publisher, serial=serial, pattern_set=encoded)

    async def refresh(self, transport: Any = None) -> None:
        size = self.registry.roster.size
        if size < len(self.treaty.log):
            await self.registry.accept(self.treaty.log[size:], self.treaty.checkpoint())
        await self.patterns.refresh(transport)

    async def restart(self) -> None:
        """A node that begins again with what is on its disk."""
        world = World(clock=self.clock, entropy=entropy(61, "node"))
        self.patterns = Patterns(own=OWN, world=world, registry=self.registry, store=self.store, reference=())
        await self.patterns.refresh(None)

    def row(self) -> LibraryRow:
        return next(row for row in self.patterns.rows() if row.party == REGION)

    def knows(self, owner: PartyId) -> bool:
        return owner in {one.candidate.party for one in self.patterns.resolve(f"{owner.upper()}PACK000007").parties}


@pytest.fixture
async def library() -> Library:
    made = Library()
    await made.begin()
    return made


async def test_a_set_that_was_published_before_its_mandate_is_taken_when_the_mandate_comes(library):
    await library.publish(library.region, SET)
    await library.refresh()
    assert (library.knows(REGION), library.knows(MEMBER)) == (True, False)

    library.treaty.give_mandate(region=library.region, member=library.member)
    await library.refresh()

    assert (library.knows(REGION), library.knows(MEMBER)) == (True, True)


async def test_a_region_speaks_for_a_member_no_longer_than_its_mandate(library):
    library.treaty.give_mandate(region=library.region, member=library.member, not_after=NOW + DAY)
    await library.publish(library.region, SET)
    await library.refresh()
    assert library.knows(MEMBER)

    library.clock.time = NOW + DAY
    await library.refresh()

    assert (library.knows(REGION), library.knows(MEMBER)) == (True, False)


async def test_sets_that_were_replaced_are_forgotten(library):
    for serial in range(1, 5):
        await library.publish(library.region, replace(SET, version=serial), serial=serial)
        await library.refresh()

    assert len(library.patterns._sets._taken) == 1


class Peers:
    """Nodes that give a set or do not.

    Attributes:
        gives: by Party, what its node gives; whoever is not there cannot be reached.
        asked: who was asked, in order.
    """

    def __init__(self, **gives: bytes) -> None:
        self.gives = gives
        self.asked: list[str] = []

    async def pattern_set(self, peer: Peer, party: PartyId, digest: bytes) -> bytes:
        del party, digest
        self.asked.append(peer.name.party)
        if peer.name.party not in self.gives:
            raise Unreachable("nobody is there")
        return self.gives[peer.name.party]


ENCODED = encode_pattern_set(SET)
NEWER = encode_pattern_set(replace(SET, version=2))


@pytest.fixture
def announced(library):
    """A Party whose set is pinned, and in nobody's store."""
    library.treaty.announce(library.region, serial=1, pattern_set=ENCODED)
    return library


async def test_a_set_comes_from_its_owner_first(announced):
    peers = Peers(qr=ENCODED, qm=ENCODED)
    await announced.refresh(peers)

    assert peers.asked == [REGION]
    assert announced.knows(REGION)
    assert (announced.row().state, announced.row().source) == (SetState.IN_USE, REGION)
    assert await announced.store.get(pattern_set_digest(ENCODED)) == ENCODED


async def test_a_set_comes_from_any_peer_that_has_it_when_its_owner_is_away(announced):
    await announced.refresh(Peers(qm=ENCODED))

    assert announced.knows(REGION)
    assert announced.row().source == MEMBER


async def test_a_peer_that_gives_another_set_is_passed_over(announced):
    await announced.refresh(Peers(qr=NEWER, qm=ENCODED))

    assert announced.knows(REGION)


async def test_with_nobody_there_the_row_says_why(announced):
    await announced.refresh(Peers())

    assert announced.row().state is SetState.MISSING
    assert "nobody is there" in announced.row().problem


@pytest.mark.parametrize(
    "encoded",
    [
        b"no set at all",
        encode_pattern_set(replace(SET, patterns=(replace(SET.patterns[0], examples=("QX1",)),))),
        encode_pattern_set(PatternSet(party=MEMBER, version=9, patterns=(pattern_of(MEMBER),))),
        b"\x0a\x02qr" + bytes(2_000_000),
    ],
)
async def test_a_bad_set_is_quarantined_with_its_reason_and_touches_no_other(library, encoded):
    library.treaty.announce(library.region, serial=1, pattern_set=encoded)
    good = PatternSet(party=MEMBER, version=1, patterns=(pattern_of(MEMBER),))
    await library.publish(library.member, good)
    peers = Peers(qr=encoded, qm=encoded)
    await library.refresh(peers)
    await library.refresh(peers)
    rows = {row.party: row for row in library.patterns.rows()}

    assert (rows[REGION].state, rows[MEMBER].state) == (SetState.QUARANTINED, SetState.IN_USE)
    assert rows[REGION].problem
    assert library.knows(MEMBER)
    assert peers.asked == [REGION]  # what the digest pins will never become right


async def test_while_a_new_set_is_missing_the_one_before_it_is_used(announced):
    await announced.refresh(Peers(qr=ENCODED))
    announced.treaty.announce(announced.region, serial=2, pattern_set=NEWER)
    await announced.refresh(Peers())

    assert announced.knows(REGION)
    assert (announced.row().state, announced.row().version, announced.row().pinned_version) == (SetState.OLDER_IN_USE, 1, 2)
    await announced.restart()
    assert (announced.knows(REGION), announced.row().state) == (True, SetState.OLDER_IN_USE)
    await announced.refresh(Peers(qr=NEWER))
    assert (announced.row().state, announced.row().version) == (SetState.IN_USE, 2)


async def test_the_log_is_read_once_for_all_sets_that_are_missing_at_a_start(announced):
    """Two hundred Parties and as many sets that are not fetched yet: a node that starts first has to serve, not to read."""
    announced.treaty.announce(announced.member, serial=1, pattern_set=NEWER)
    await announced.refresh()
    before = announced.directory.faults.calls["leaves"]

    await announced.restart()

    assert announced.directory.faults.calls["leaves"] == before + 1


async def test_what_a_party_no_longer_publishes_is_not_used_any_more(announced):
    await announced.refresh(Peers(qr=ENCODED))
    announced.treaty.announce(announced.region, serial=2)
    await announced.refresh(Peers())

    assert not announced.knows(REGION)
    assert announced.row().state is SetState.NONE


async def test_the_mandate_is_among_the_reasons(library):
    await library.publish(library.member, PatternSet(party=MEMBER, version=1, patterns=(pattern_of(MEMBER),)))
    library.treaty.give_mandate(region=library.region, member=library.member)
    await library.refresh()
    (ranked,) = library.patterns.resolve("QMPACK000007").parties

    assert ranked.responder in (REGION, MEMBER)
    reasons = [reason.words for reason in ranked.candidate.reasons if reason.code == "mandate"]
    assert reasons == ([f"{REGION} answers for {MEMBER}"] if ranked.responder == REGION else [])


async def test_what_an_officer_should_know_of_a_party_comes_with_its_name(library):
    await library.publish(library.region, replace(SET, patterns=(pattern_of(REGION),)))
    library.treaty.enter(
        TreatyPolicy(created=NOW, serial=1, witness_wait_s=7 * DAY, recovery_wait_s=14 * DAY, confirmations=1),
        *library.treaty.founders[:2],
    )
    await library.refresh()
    assert found(library).standing == {Standing.UNCONFIRMED}

    admitted = library.treaty.roster.party(REGION).admit_digest
    library.treaty.enter(Confirm(created=NOW, party=MEMBER, subject=REGION, admit_digest=admitted), library.member.key)
    await library.refresh()
    assert found(library).standing == frozenset()

    library.treaty.enter(Suspend(created=NOW, serial=2, party=REGION, reason="no contribution"), *library.treaty.founders[:2])
    await library.refresh()
    assert (found(library).standing, found(library).responder) == ({Standing.SUSPENDED}, None)
    assert found(library).membership is Membership.NO_NODE

    library.treaty.enter(Withdraw(created=NOW, party=REGION, admit_digest=admitted), library.region.key)
    await library.refresh()
    assert found(library).standing == {Standing.WITHDRAWN}
    assert found(library).membership is Membership.NOT_A_PARTY
    assert not library.treaty.roster.alarms


async def test_of_a_region_that_answers_its_own_standing_is_told(library):
    await library.publish(library.member, PatternSet(party=MEMBER, version=1, patterns=(pattern_of(MEMBER),)))
    library.treaty.give_mandate(region=library.region, member=library.member)
    pilot = replace(library.treaty.update(library.region), serial=1, pilot=True)
    library.treaty.enter(pilot, library.region.key)
    await library.refresh()

    one = found(library, MEMBER)
    assert (one.responder, one.standing, one.responder_standing) == (REGION, frozenset(), {Standing.PILOT})


def found(library: Library, owner: PartyId = REGION) -> RankedParty:
    (one,) = library.patterns.resolve(f"{owner.upper()}PACK000007").parties
    return one
