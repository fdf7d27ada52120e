"""The gate of the desk: whoever cannot sign this call, here and now, as an officer of this Party, is refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import FederationError, Malformed, Unauthentic
from federation.trust.keys import SoftwareSigner
from federation.wire import strict
from node import limits as node_limits
from node.rpc.officer import OfficerGate, OfficerKey, read_authorities
from node.v1 import desk_pb2
from tests.support import pki
from tests.support.rpc import SetClock

METHOD = "/node.v1.Desk/SubmitQuery"
REQUEST = b"the exact bytes of a request"


def counting_entropy():
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@pytest.fixture
def clock() -> SetClock:
    return SetClock(float(pki.NOW))


@pytest.fixture
def gate(clock) -> OfficerGate:
    return gate_of(pki.node(), clock)


def gate_of(node, clock, *, anchors=None) -> OfficerGate:
    pinned = anchors if anchors is not None else [pki.party_ca().certificate]
    return OfficerGate(
        node=node, party=pki.QM, anchors=lambda: pinned, clock=clock, entropy=counting_entropy(), standing=everybody_stands
    )


async def everybody_stands(officer, certificate) -> None:
    assert officer.party == pki.QM
    assert certificate


def officer_key(certificate: bytes | None = None, *, seed: str = "officer") -> OfficerKey:
    return OfficerKey(certificate=certificate or pki.officer_certificate(), signer=SoftwareSigner(pki.seed(seed)))


def credential(gate, key=None, *, method=METHOD, request=REQUEST, node=None, now=pki.NOW, challenge=None) -> bytes:
    return (key or officer_key()).credential(
        method=method, request=request, node=node or pki.node(), challenge=challenge or gate.challenge(), now=now
    )


async def admit(gate, given, *, method=METHOD, request=REQUEST):
    return await gate.admit(method=method, request=request, credential=given)


def changed(given: bytes, **fields) -> bytes:
    message = desk_pb2.OfficerCredential.FromString(given)
    for name, value in fields.items():
        setattr(message, name, value)
    return strict.encode(message)


async def test_an_officer_of_the_party_is_named_and_its_certificate_handed_on(gate):
    caller = await admit(gate, credential(gate))
    assert caller.officer == pki.officer()
    assert caller.certificate == pki.officer_certificate()


async def test_a_call_without_credential_is_refused(gate):
    with pytest.raises(Unauthentic, match="does not say which officer"):
        await admit(gate, None)


async def test_a_credential_as_text_metadata_is_refused(gate):
    with pytest.raises(Unauthentic):
        await admit(gate, credential(gate).hex())


@pytest.mark.parametrize("given", [b"", b"\xff" * 40, b"\x0a\x01", bytes(node_limits.GRPC_METADATA_BYTES_MAX + 1)])
async def test_bytes_that_are_no_credential_are_refused(gate, given):
    with pytest.raises((Malformed, Unauthentic)):
        await admit(gate, given)


async def test_a_credential_with_an_unknown_field_is_refused(gate):
    with pytest.raises(Malformed):
        await admit(gate, credential(gate) + b"\x78\x01")


async def test_a_certificate_without_its_key_is_refused(gate):
    stolen = officer_key(seed="somebody else")
    with pytest.raises(Unauthentic, match="signature"):
        await admit(gate, credential(gate, stolen))


async def test_a_certificate_with_no_signature_is_refused(gate):
    with pytest.raises(Unauthentic):
        await admit(gate, changed(credential(gate), signature=b""))


async def test_a_repeated_call_is_refused(gate):
    given = credential(gate)
    await admit(gate, given)
    with pytest.raises(Unauthentic, match="challenge"):
        await admit(gate, given)


async def test_a_challenge_is_used_up_by_a_call_that_fails(gate):
    given = credential(gate)
    with pytest.raises(Unauthentic, match="signature"):
        await admit(gate, changed(given, signature=bytes(64)))
    with pytest.raises(Unauthentic, match="challenge"):
        await admit(gate, given)


async def test_a_signature_is_good_for_one_method_only(gate):
    with pytest.raises(Unauthentic, match="signature"):
        await admit(gate, credential(gate), method="/node.v1.Desk/SubmitAnswer")


async def test_a_signature_is_good_for_one_request_only(gate):
    with pytest.raises(Unauthentic, match="signature"):
        await admit(gate, credential(gate), request=REQUEST + b"!")


async def test_a_signature_for_another_node_is_refused(gate):
    with pytest.raises(Unauthentic, match="signature"):
        await admit(gate, credential(gate, node=pki.node(node_id="two")))


async def test_a_challenge_of_another_node_is_refused(gate, clock):
    elsewhere = gate_of(pki.node(), clock, anchors=())
    with pytest.raises(Unauthentic, match="challenge"):
        await admit(gate, credential(gate, challenge=elsewhere.challenge()))


async def test_a_challenge_lives_for_a_minute(gate, clock):
    in_time, too_late = credential(gate), credential(gate)
    clock.at += node_limits.DESK_CHALLENGE_LIFE_S
    await admit(gate, in_time)
    clock.at += 1
    with pytest.raises(Unauthentic, match="challenge"):
        await admit(gate, too_late)


async def test_whoever_asks_for_challenges_without_end_gets_a_bounded_table(gate):
    early, late = credential(gate), credential(gate)
    for _ in range(node_limits.DESK_CHALLENGES_MAX - 1):
        gate.challenge()
    await admit(gate, late)
    with pytest.raises(Unauthentic, match="challenge"):
        await admit(gate, early)


@pytest.mark.parametrize("offset_s", [-limits.CLOCK_TOLERANCE_S - 1, limits.CLOCK_TOLERANCE_S + 1])
async def test_a_wrong_clock_is_told_with_both_times(gate, offset_s):
    with pytest.raises(Unauthentic, match=r"clock says .* and this node's 2027-01-15 08:00:00 UTC"):
        await admit(gate, credential(gate, now=pki.NOW + offset_s))


@pytest.mark.parametrize("offset_s", [-limits.CLOCK_TOLERANCE_S, limits.CLOCK_TOLERANCE_S])
async def test_five_minutes_of_difference_are_tolerated(gate, offset_s):
    assert (await admit(gate, credential(gate, now=pki.NOW + offset_s))).officer == pki.officer()


async def test_a_time_beyond_the_calendar_is_refused(gate):
    with pytest.raises(Malformed):
        await admit(gate, changed(credential(gate), time=2**64 - 1))


async def test_the_time_is_part_of_what_is_signed(gate):
    with pytest.raises(Unauthentic, match="signature"):
        await admit(gate, changed(credential(gate), time=pki.NOW + 1))


async def test_an_expired_certificate_is_refused(gate, clock):
    old = pki.officer_certificate(now=pki.NOW - limits.OFFICER_CERTIFICATE_LIFE_S - 1)
    with pytest.raises(Unauthentic, match="valid from"):
        await admit(gate, credential(gate, officer_key(old)))


async def test_an_officer_of_another_party_is_refused(gate):
    foreign = pki.officer_certificate(pki.officer(pki.QN))
    with pytest.raises((Malformed, Unauthentic)):
        await admit(gate, credential(gate, officer_key(foreign)))


async def test_a_name_of_this_party_signed_by_another_ca_is_refused(gate):
    forged = pki.officer_certificate(ca=pki.party_ca(pki.QM, label="another"))
    with pytest.raises(Unauthentic):
        await admit(gate, credential(gate, officer_key(forged)))


async def test_a_node_is_no_officer(gate):
    with pytest.raises((Malformed, Unauthentic)):
        await admit(gate, credential(gate, officer_key(pki.node_certificate())))


async def test_two_cas_are_anchors_while_a_party_changes_its_ca(clock):
    new = pki.party_ca(pki.QM, label="next")
    gate = gate_of(pki.node(), clock, anchors=[pki.party_ca().certificate, new.certificate])
    for certificate in (pki.officer_certificate(), pki.officer_certificate(ca=new)):
        assert (await admit(gate, credential(gate, officer_key(certificate)))).officer == pki.officer()


async def test_without_an_anchor_nobody_comes_in(clock):
    gate = gate_of(pki.node(), clock, anchors=[])
    with pytest.raises(Unauthentic, match="no CA"):
        await admit(gate, credential(gate))


def test_a_key_does_not_show_in_a_representation():
    shown = repr(officer_key())
    assert pki.seed("officer").hex() not in shown


@given(told=st.lists(st.binary(max_size=64) | st.sampled_from((pki.party_ca().certificate, b"x" * 5_000)), max_size=5))
def test_what_is_told_as_a_ca_is_one_or_is_refused_with_our_words(told):
    try:
        kept = read_authorities(told, party=pki.QM, domain=pki.DOMAIN)
    except FederationError:
        assert len(told) > limits.CAS_PER_PARTY_MAX or any(one != pki.party_ca().certificate for one in told)
    else:
        assert kept == tuple(told)


def test_the_ca_of_another_party_is_never_kept():
    with pytest.raises(Unauthentic):
        read_authorities([pki.party_ca(pki.QN).certificate], party=pki.QM, domain=pki.DOMAIN)
