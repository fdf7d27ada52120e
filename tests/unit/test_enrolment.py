from __future__ import annotations

from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from federation import limits
from federation.errors import Conflict, DeadlinePassed, Forbidden, Malformed
from federation.identity import PartyId
from federation.trust.enrolment import (
    Event,
    Step,
    Use,
    check_invitation,
    check_token,
    describe_step,
    invite,
    next_step,
    request_hash,
    token_hash,
    use_invitation,
)
from federation.trust.issuing import make_request
from tests.support import pki

NOW = 1_800_000_000
QM, QN = PartyId("qm"), PartyId("qn")
TOKEN = bytes(range(16))
CSR = make_request(pki.key("party"))
REQUEST = request_hash(csr=CSR, party_key=b"key", next_key_hash=b"next")
OTHER_REQUESTS = [
    request_hash(csr=CSR, party_key=b"other key", next_key_hash=b"next"),
    request_hash(csr=CSR, party_key=b"key", next_key_hash=b"other next"),
    request_hash(csr=make_request(pki.key("other party")), party_key=b"key", next_key_hash=b"next"),
    request_hash(csr=CSR, party_key=b"keyn", next_key_hash=b"ext"),
]
INVITATION = invite(party=QM, token=TOKEN, now=NOW)
USED = use_invitation(INVITATION, request=REQUEST, now=NOW + 60)
END = NOW + limits.JOIN_TOKEN_LIFE_S


def check(invitation=INVITATION, *, token=TOKEN, party=QM, request=REQUEST, now=NOW + 1):
    return check_invitation(invitation, token=token, party=party, request=request, now=now)


def test_an_invited_party_may_enrol():
    assert check() is Use.FIRST
    assert check(now=END - 0.5) is Use.FIRST


def test_the_secretariat_does_not_keep_the_token():
    assert TOKEN not in INVITATION.token_hash
    assert str(TOKEN) not in repr(INVITATION)


def test_a_token_is_bound_to_its_party():
    assert token_hash(TOKEN, QM) != token_hash(TOKEN, QN)


@pytest.mark.parametrize(
    "presented",
    [
        {"invitation": None},
        {"token": bytes(16)},
        {"token": b""},
        {"token": TOKEN + b"\0"},
        {"party": QN},
        {"party": QN, "invitation": invite(party=QN, token=bytes(16), now=NOW)},
        {"invitation": invite(party=QN, token=TOKEN, now=NOW)},
        {"invitation": USED, "token": bytes(16)},
    ],
)
def test_a_wrong_token_and_no_invitation_are_told_apart_by_nobody(presented):
    with pytest.raises(Forbidden) as refusal:
        check(**presented)

    assert str(refusal.value) == "this token is no invitation for that Party"


def test_an_invitation_expires():
    with pytest.raises(DeadlinePassed):
        check(now=END)


def test_the_same_keys_get_the_same_result_again_even_late():
    assert check(USED) is Use.REPEATED
    assert check(USED, now=END + 1) is Use.REPEATED


@pytest.mark.parametrize("request_of_others", OTHER_REQUESTS)
def test_other_keys_find_the_invitation_used(request_of_others):
    for now in (NOW + 61, END + 1):
        with pytest.raises(Conflict, match="other keys"):
            check(USED, request=request_of_others, now=now)


def test_using_an_invitation_writes_down_when_and_for_which_keys():
    assert (INVITATION.used_at, INVITATION.request_hash) == (None, None)
    assert (USED.used_at, USED.request_hash) == (NOW + 60, REQUEST)
    assert (USED.party, USED.token_hash, USED.expires) == (INVITATION.party, INVITATION.token_hash, INVITATION.expires)


def test_a_request_that_is_signed_anew_is_the_same_request():
    key = pki.key("party")
    signed_anew = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    csr = signed_anew.public_bytes(Encoding.DER)

    assert csr != CSR
    assert request_hash(csr=csr, party_key=b"key", next_key_hash=b"next") == REQUEST


def test_a_request_without_proof_uses_up_no_token():
    with pytest.raises(Malformed):
        request_hash(csr=b"csr", party_key=b"key", next_key_hash=b"next")


def test_the_token_alone_lets_ask_how_far_it_is():
    assert check_token(USED, token=TOKEN, party=QM) == USED
    with pytest.raises(Forbidden):
        check_token(USED, token=TOKEN, party=QN)


def test_the_road_leads_from_the_invitation_into_the_log():
    step = Step.INVITED
    for event in Event:
        step = next_step(step, event)

    assert step is Step.LOGGED


def test_every_event_may_come_again():
    step = Step.INVITED
    for number, event in enumerate(Event, 1):
        step = next_step(step, event)
        for earlier in list(Event)[:number]:
            assert next_step(step, earlier) is step


@pytest.mark.parametrize(("step", "event"), [(early, late) for early in range(5) for late in range(4) if late > early])
def test_nobody_is_stepped_over(step, event):
    with pytest.raises(Conflict):
        next_step(list(Step)[step], list(Event)[event])


def test_every_step_is_said_in_words_of_its_own():
    said = [describe_step(step) for step in Step]

    assert all(words.startswith(f"{step}: ") for step, words in zip(Step, said, strict=True))
    assert all(one != other for one, other in pairwise(said))
