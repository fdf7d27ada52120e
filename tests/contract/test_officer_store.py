import asyncio
import itertools
from dataclasses import replace

import pytest

from federation import limits
from federation.errors import Conflict, Misuse
from federation.query.codes import Purpose
from federation.trust.entries import Authority, AuthorityKind
from node.use_cases.officers import (
    Officer,
    OfficerCertificate,
    OfficerChange,
    OfficerInvitation,
    OfficerState,
    Proposal,
    ProposalState,
    Proposed,
    Use,
    all_rights,
    granted,
    withdrawn,
)
from node.use_cases.rights import Grant, Right
from tests.support.samples import some

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Zollamt Nördlingen")
POLICE = Authority(kind=AuthorityKind.POLICE, name="Police")
ASK = Grant(right=Right.ASK, authority=CUSTOMS, purposes=frozenset({Purpose.DETECTION}))


def an_officer(officer_id="abcdefgh", *, created=1_000, **fields) -> Officer:
    values = {
        "name": "Ada Example 阿达",
        "authority": CUSTOMS,
        "state": OfficerState.INVITED,
        "life_s": limits.OFFICER_CERTIFICATE_LIFE_S_MIN,
        "invitation": OfficerInvitation(token_hash=some(f"token {officer_id} {created}"), expires=created + 600),
    }
    return Officer(officer_id=officer_id, created=created, **{**values, **fields})


def a_certificate(number, *, withdrawn_at=None):
    return OfficerCertificate(der=some(f"certificate {number}", 300), not_after=9_000 + number, withdrawn=withdrawn_at)


async def put(officers, old, new, **more):
    await officers.store.commit(OfficerChange(officers=((old, new),), **more))


async def test_an_officer_is_found_by_id_and_by_token(officers):
    async with officers:
        await put(officers, None, an_officer())
        await officers.again()

        assert await officers.store.officer("abcdefgh") == an_officer()
        assert await officers.store.by_token(an_officer().invitation.token_hash) == an_officer()
        assert await officers.store.officer("zzzzzzzz") is None
        assert await officers.store.by_token(some("guess")) is None


async def test_everything_about_an_officer_is_kept_in_its_order(officers):
    steps = [
        None,
        an_officer(),
        replace(an_officer(), invitation=replace(an_officer().invitation, public_key=some("key"))),
        replace(an_officer(), state=OfficerState.ACTIVE, certificates=(a_certificate(3), a_certificate(1), a_certificate(2))),
        granted(replace(an_officer(), certificates=(a_certificate(1, withdrawn_at=77),)), all_rights(CUSTOMS)),
        granted(an_officer(), [ASK, Grant(right=Right.AUDIT, authority=POLICE), Grant(right=Right.AUDIT, authority=CUSTOMS)]),
        withdrawn(replace(an_officer(), certificates=(a_certificate(1),)), now=5),
    ]
    async with officers:
        for old, new in itertools.pairwise(steps):
            await put(officers, old, new)
            await officers.again()
            assert await officers.store.officer("abcdefgh") == new


async def test_who_takes_a_step_from_an_old_state_is_told_and_nothing_is_written(officers):
    active = replace(an_officer(), state=OfficerState.ACTIVE)
    async with officers:
        await put(officers, None, an_officer())
        await put(officers, an_officer(), active)
        with pytest.raises(Conflict):
            await put(officers, an_officer(), withdrawn(an_officer(), now=3), uses=(Use(at=3, officer_id="x", act="grant"),))
        with pytest.raises(Conflict):
            await put(officers, None, an_officer(created=2_000))
        await officers.again()

        assert await officers.store.officer("abcdefgh") == active
        assert await officers.store.uses(before=10_000, rows=10) == ()


async def test_of_a_change_that_is_refused_no_part_is_written(officers):
    other = an_officer("ijklmnop", created=2_000)
    async with officers:
        await put(officers, None, an_officer())
        with pytest.raises(Conflict):
            await officers.store.commit(OfficerChange(officers=((None, other), (None, an_officer(created=3_000)))))
        await officers.again()

        assert await officers.store.officers() == (an_officer(),)


async def test_a_step_that_is_taken_again_is_harmless(officers):
    active = replace(an_officer(), state=OfficerState.ACTIVE)
    async with officers:
        for old, new in ((None, an_officer()), (None, an_officer()), (an_officer(), active), (an_officer(), active)):
            await put(officers, old, new)
        await officers.again()

        assert await officers.store.officers() == (active,)


async def test_of_many_who_use_one_code_one_gets_it(officers):
    def used_by(number):
        return replace(an_officer(), invitation=replace(an_officer().invitation, public_key=some(f"key {number}")))

    async with officers:
        await put(officers, None, an_officer())
        results = await asyncio.gather(
            *(put(officers, an_officer(), used_by(number)) for number in range(8)), return_exceptions=True
        )

        assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 7 + ["NoneType"]


async def test_officers_are_listed_from_the_oldest_on(officers):
    known = [an_officer(name, created=created) for name, created in (("aaaaaaaa", 30), ("bbbbbbbb", 10), ("cccccccc", 20))]
    async with officers:
        for one in known:
            await put(officers, None, one)
        await officers.again()

        assert [one.officer_id for one in await officers.store.officers()] == ["bbbbbbbb", "cccccccc", "aaaaaaaa"]


async def test_a_proposal_waits_until_it_is_decided(officers):
    def proposal(number):
        return Proposal(
            proposal_id=f"proposal{number}",
            kind=Proposed.INVITE,
            proposer="abcdefgh",
            created=10 - number,
            officer=granted(an_officer("ijklmnop", invitation=None), all_rights(POLICE)),
            grants=all_rights(POLICE),
        )

    decided = replace(proposal(1), state=ProposalState.APPROVED, decided_by="someoneelse")
    async with officers:
        for number in (1, 2):
            await officers.store.commit(OfficerChange(proposals=((None, proposal(number)),)))
        await officers.again()
        assert await officers.store.proposals() == (proposal(2), proposal(1))

        await officers.store.commit(OfficerChange(proposals=((proposal(1), decided),)))
        with pytest.raises(Conflict):
            await officers.store.commit(OfficerChange(proposals=((proposal(1), replace(decided, decided_by="third")),)))
        await officers.again()
        assert await officers.store.proposals() == (proposal(2),)


async def test_the_record_is_read_from_the_newest_line_back_for_all_or_for_one(officers):
    lines = (
        Use(at=1, officer_id="", act="invite", subject="abcdefgh", words="by the operator: audit for customs X"),
        Use(at=2, officer_id="abcdefgh", act="submit_query", right="ask", message_id=bytes(16)),
        Use(at=2, officer_id="ijklmnop", act="grant", right="administer", subject="qrstuvwx", words="ask"),
        Use(at=3, officer_id="ijklmnop", act="proof", right="audit", message_id=bytes(16)),
    )
    async with officers:
        for line in lines:
            await officers.store.commit(OfficerChange(uses=(line,)))
        await officers.again()

        assert await officers.store.uses(before=100, rows=10) == lines[::-1]
        assert await officers.store.uses(before=100, rows=2) == lines[:1:-1]
        assert await officers.store.uses(before=3, rows=10) == lines[2::-1]
        assert await officers.store.uses(before=100, rows=10, officer_id="abcdefgh") == (lines[1], lines[0])
        assert await officers.store.uses(before=100, rows=10, officer_id="qrstuvwx") == (lines[2],)


async def test_a_token_of_another_officer_is_refused_and_does_that_officer_no_harm(officers):
    shared = an_officer("ijklmnop", invitation=an_officer().invitation)
    async with officers:
        await put(officers, None, an_officer())
        with pytest.raises(Misuse):
            await put(officers, None, shared)
        await officers.again()

        assert await officers.store.officers() == (an_officer(),)
