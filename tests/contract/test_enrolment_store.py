import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from federation.errors import Conflict, Misuse
from federation.identity import PartyId
from federation.ports import Enrolment
from federation.trust.entries import Signature
from tests.support.samples import some


def invited(party="qm", *, created=1_000):
    return Enrolment(party=PartyId(party), token_hash=some(f"token {party} {created}"), created=created, expires=created + 600)


def signed(name):
    return Signature(public_key=some(f"key {name}"), signature=some(f"signature {name}", 64))


async def test_an_invitation_is_found_by_party_and_by_token(enrolments):
    async with enrolments:
        await enrolments.store.swap(old=None, new=invited())
        await enrolments.again()

        assert await enrolments.store.enrolment(PartyId("qm")) == invited()
        assert await enrolments.store.by_token(invited().token_hash) == invited()
        assert await enrolments.store.enrolment(PartyId("qn")) is None
        assert await enrolments.store.by_token(some("guess")) is None


async def test_every_step_of_an_admission_is_kept(enrolments):
    requested = replace(invited(), csr_hash=some("request"), admit_body=b"admit")
    accepted = replace(requested, acceptance=signed("Party"))
    founded = replace(accepted, founder_signatures=(signed("first"), signed("second")))
    logged = replace(founded, logged_index=0)
    steps = [None, invited(), requested, accepted, founded, logged]
    async with enrolments:
        for old, new in pairwise(steps):
            await enrolments.store.swap(old=old, new=new)
            await enrolments.again()
            assert await enrolments.store.enrolment(PartyId("qm")) == new


async def test_who_takes_a_step_from_an_old_state_is_told(enrolments):
    requested = replace(invited(), csr_hash=some("request"))
    async with enrolments:
        await enrolments.store.swap(old=None, new=invited())
        await enrolments.store.swap(old=invited(), new=requested)
        await enrolments.again()
        with pytest.raises(Conflict):
            await enrolments.store.swap(old=invited(), new=replace(invited(), csr_hash=some("another request")))
        with pytest.raises(Conflict):
            await enrolments.store.swap(old=None, new=invited(created=2_000))

        assert await enrolments.store.enrolment(PartyId("qm")) == requested


async def test_a_step_that_is_taken_again_is_harmless(enrolments):
    requested = replace(invited(), csr_hash=some("request"))
    async with enrolments:
        for old, new in ((None, invited()), (None, invited()), (invited(), requested), (invited(), requested)):
            await enrolments.store.swap(old=old, new=new)
        await enrolments.again()

        assert await enrolments.store.enrolment(PartyId("qm")) == requested


async def test_of_many_who_use_one_token_one_gets_it(enrolments):
    async with enrolments:
        await enrolments.store.swap(old=None, new=invited())
        results = await asyncio.gather(
            *(
                enrolments.store.swap(old=invited(), new=replace(invited(), csr_hash=some(f"request {number}")))
                for number in range(8)
            ),
            return_exceptions=True,
        )

        assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 7 + ["NoneType"]


async def test_those_who_are_not_in_the_log_are_pending_in_order_of_invitation(enrolments):
    qn, qo, qp = (invited(party, created=created) for party, created in (("qn", 3_000), ("qo", 1_000), ("qp", 2_000)))
    async with enrolments:
        for enrolment in (qn, qo, qp):
            await enrolments.store.swap(old=None, new=enrolment)
        await enrolments.store.swap(old=qp, new=replace(qp, logged_index=4))
        await enrolments.again()

        assert await enrolments.store.pending() == (qo, qn)


async def test_a_second_invitation_takes_the_place_of_the_first(enrolments):
    async with enrolments:
        await enrolments.store.swap(old=None, new=invited())
        await enrolments.store.swap(old=invited(), new=invited(created=2_000))
        await enrolments.again()

        assert await enrolments.store.by_token(invited().token_hash) is None
        assert await enrolments.store.by_token(invited(created=2_000).token_hash) == invited(created=2_000)


async def test_no_two_parties_share_a_token_and_no_enrolment_changes_its_party(enrolments):
    async with enrolments:
        await enrolments.store.swap(old=None, new=invited())
        with pytest.raises(Misuse):
            await enrolments.store.swap(old=None, new=replace(invited(), party=PartyId("qn")))
        with pytest.raises(Misuse):
            await enrolments.store.swap(old=invited(), new=replace(invited("qn")))
        await enrolments.again()

        assert await enrolments.store.pending() == (invited(),)
