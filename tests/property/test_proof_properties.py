"""No proof file can be changed: any bit of it, any of its parts for another, a receipt of somebody else, another epoch of a journal."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.boundary.directory import sign_checkpoint
from federation.boundary.proof import check_proof, findings
from federation.errors import PeerMisbehaviour
from federation.evidence.bundle import Disclosure, Proof
from federation.evidence.journal import origin
from federation.identity import PartyId
from federation.wire.evidence import decode_proof, encode_proof
from tests.support.crossing import Conversation, Journal
from tests.support.treaty import Treaty

KINDS = [*Disclosure, "silence"]


@cache
def treaty() -> Treaty:
    made = Treaty.make(seed=47)
    for party in ("qm", "qn", "qo"):
        made.admit(party)
    return made


@cache
def talk(asking: str = "qm", answering: str = "qn") -> Conversation:
    parties = treaty().parties
    return Conversation(treaty(), parties[PartyId(asking)], parties[PartyId(answering)], by_hand=True)


@cache
def filed(kind: str) -> bytes:
    if kind == "silence":
        return encode_proof(talk().silence(talk().proof(talk().asking)))
    return encode_proof(talk().proof(talk().asking, disclose=Disclosure(kind)))


def check(raw: bytes) -> None:
    findings(check_proof(raw, log_key=treaty().genesis.log_key, genesis_digest=treaty().genesis_digest))


def refused(proof: Proof) -> None:
    with pytest.raises(PeerMisbehaviour):
        check(encode_proof(proof))


@pytest.mark.parametrize("kind", KINDS)
def test_the_unchanged_file_holds(kind):
    check(filed(kind))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_bit_is_refused(kind, data):
    raw = bytearray(filed(kind))
    place, bit = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 7))
    raw[place] ^= 1 << bit

    with pytest.raises(PeerMisbehaviour):
        check(bytes(raw))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_cut_doubled_or_foreign_stretch_is_refused(kind, data):
    raw = filed(kind)
    start = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(start + 1, min(len(raw), start + 200)))
    stretch = data.draw(st.sampled_from([b"", raw[start:end] * 2, bytes(end - start), raw[: end - start]]))
    changed = raw[:start] + stretch + raw[end:]
    if changed != raw:
        with pytest.raises(PeerMisbehaviour):
            check(changed)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_part_of_a_message_can_stand_for_the_same_part_of_another(data):
    """Within one proof, or from a good proof of two other Parties."""
    own = decode_proof(filed(data.draw(st.sampled_from(list(Disclosure)))))
    other = talk().proof(talk().asking) if data.draw(st.booleans()) else talk("qo", "qn").proof(talk("qo", "qn").asking)
    place, source = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 1))
    name = data.draw(st.sampled_from(sorted(own.crossings[0].__slots__)))
    ours, theirs = getattr(own.crossings[place], name), getattr(other.crossings[source], name)
    if ours != theirs:
        crossings = [replace(one, **{name: theirs}) if at == place else one for at, one in enumerate(own.crossings)]
        refused(replace(own, crossings=tuple(crossings)))


def test_messages_cannot_change_places_or_stand_twice():
    own = decode_proof(filed("all"))
    for order in (*[*permutations(own.crossings)][1:], (*own.crossings, own.crossings[1])):
        refused(replace(own, crossings=tuple(order)))


def test_the_receipt_of_another_party_is_refused():
    """A third Party has the same envelope, wrote it down, and receipted it under its own good key."""
    own = decode_proof(filed("all"))
    theirs = Journal(treaty().parties[PartyId("qo")]).receipt(talk().query, peer=talk().asking, at=treaty().now + 1)

    refused(replace(own, crossings=(replace(own.crossings[0], receipt=theirs), own.crossings[1])))


@pytest.mark.parametrize("number", [2, treaty().now])
def test_an_epoch_is_that_of_the_name_that_was_signed(number):
    """A checkpoint under another epoch's name is another log's: the silence that was said of the one is not of the other."""
    own = decode_proof(filed("silence"))
    asking, journal = talk().asking, talk().journals[talk().asking.party]
    named = sign_checkpoint(origin(asking.name.dns, number), journal.frontier, asking.signer)
    lines, other = own.journal_checkpoint.split(b"\n"), named.split(b"\n")

    refused(replace(own, journal_checkpoint=b"\n".join([other[0], *lines[1:]])))
    refused(replace(own, journal_checkpoint=b"\n".join([lines[0], *other[1:]])))
