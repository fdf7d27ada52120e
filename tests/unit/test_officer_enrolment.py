"""Enrolling when the store fails before or after it wrote: a code is used up before anything is issued, and nobody is locked out."""

from __future__ import annotations

import os

import pytest

from federation import limits
from federation.errors import Conflict, StoreUnavailable
from federation.identity import OfficerName
from federation.trust.desk_code import desk_token_hash
from federation.trust.issuing import issue_officer_certificate
from federation.trust.keys import SoftwareSigner
from node.use_cases.officer_enrolment import enrolment_message
from node.use_cases.officers import Officer, OfficerInvitation, OfficerState
from node.use_cases.personnel import OfficerParts, employ
from node.use_cases.world import World
from tests.support import pki
from tests.support.faults import When
from tests.support.memory_officers import CUSTOMS, MemoryOfficers
from tests.support.rpc import SetClock

TOKEN = b"t" * limits.JOIN_TOKEN_BYTES


class Office:
    """A node's officers over a store that fails as it is told."""

    def __init__(self) -> None:
        self.store = MemoryOfficers()
        self.issued: list[bytes] = []
        world = World(clock=SetClock(float(pki.NOW)), entropy=os.urandom)
        parts = OfficerParts(store=self.store, certify=self.certify, party_cas=lambda: (pki.party_ca().certificate,))
        self.enrolment = employ(parts, party=pki.QM, node=pki.node(), world=world).enrolment
        invitation = OfficerInvitation(token_hash=desk_token_hash(TOKEN, pki.QM), expires=pki.NOW + 60)
        self.store.lies_there(
            Officer(
                officer_id="abcdefgh",
                name="Ada Example",
                authority=CUSTOMS,
                state=OfficerState.INVITED,
                created=pki.NOW,
                life_s=limits.OFFICER_CERTIFICATE_LIFE_S_MIN,
                invitation=invitation,
            )
        )

    def certify(self, public_key: bytes, name: OfficerName, life_s: int) -> bytes:
        certificate = issue_officer_certificate(
            public_key, name=name, ca=pki.party_ca(), now=pki.NOW, entropy=os.urandom, life_s=life_s
        )
        self.issued.append(certificate)
        return certificate

    async def enrol(self, signer: SoftwareSigner):
        message = enrolment_message(token=TOKEN, public_key=signer.public_key, node=pki.node())
        return await self.enrolment.enrol(token=TOKEN, public_key=signer.public_key, proof=signer.sign(message))


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("commits_before", [0, 1])
async def test_who_repeats_with_the_same_key_is_enrolled_whatever_the_store_did(office, when, commits_before):
    signer = SoftwareSigner(os.urandom(32))
    office.store.faults.fail("commit", when, skip=commits_before)
    with pytest.raises(StoreUnavailable):
        await office.enrol(signer)
    enrolled = await office.enrol(signer)
    assert enrolled == await office.enrol(signer)
    (officer,) = await office.store.officers()
    assert officer.state is OfficerState.ACTIVE
    assert [one.der for one in officer.certificates] == [enrolled.certificate]


@pytest.mark.parametrize("when", When)
async def test_nothing_is_issued_before_the_code_is_used_up(office, when):
    office.store.faults.fail("commit", when)
    with pytest.raises(StoreUnavailable):
        await office.enrol(SoftwareSigner(os.urandom(32)))
    assert office.issued == []


async def test_a_code_that_may_have_been_used_up_is_good_for_nobody_else(office):
    office.store.faults.fail("commit", When.AFTER)
    with pytest.raises(StoreUnavailable):
        await office.enrol(SoftwareSigner(os.urandom(32)))
    with pytest.raises(Conflict):
        await office.enrol(SoftwareSigner(os.urandom(32)))
    assert office.issued == []


async def test_a_certificate_lives_as_long_as_the_administrator_said(office):
    enrolled = await office.enrol(SoftwareSigner(os.urandom(32)))
    (officer,) = await office.store.officers()
    assert officer.certificates[0].der == enrolled.certificate
    assert officer.certificates[0].not_after == pki.NOW + limits.OFFICER_CERTIFICATE_LIFE_S_MIN
