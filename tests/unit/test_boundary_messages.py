"""Messages at the border: what is believed, what is refused, with which reason, and at which step of the fixed order."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.messages import body_digest, open_message, read_envelope, statement_hash
from federation.envelope.attachment import Attachment, AttachmentId, FileFacts, MediaType
from federation.envelope.header import MessageKind
from federation.envelope.seal import Envelope, digest_of_parts
from federation.errors import Forbidden, Incompatible, Malformed, PeerMisbehaviour, Unauthentic, UnknownParty
from federation.identity import MessageId, PartyId
from federation.query.answer import Answer
from federation.trust.entries import Revoke, RevokedKind
from federation.trust.issuing import issue_officer_certificate
from federation.trust.keys import SoftwareSigner, node_message
from federation.trust.roster import with_party
from federation.wire.envelope import decode_header, encode_envelope, encode_header
from federation.wire.query import encode_answer_body, encode_query_body
from tests.support.crossing import a_query, an_answer, message, private_key, public_key
from tests.support.mutation import UNKNOWN_FIELD, varint
from tests.support.treaty import DAY, NOW, Treaty, secret

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")
PREKEY = private_key("prekey")


@pytest.fixture(scope="module")
def treaty() -> Treaty:
    """qm asks, qn answers, qo is the third."""
    made = Treaty.make(seed=21)
    for party in ("qm", "qn", "qo"):
        made.admit(party)
    return made


@pytest.fixture(scope="module")
def roster(treaty):
    return treaty.roster


def asked(treaty: Treaty, content=None, **changes):
    """A query of qm to qn; what is named differs from what an honest node sends."""
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    given = {"sender": qm, "recipient": qn, "key": public_key(PREKEY), "officer": qm.officer} | changes
    return message(treaty, a_query() if content is None else content, **given)


def answered(treaty: Treaty, **changes):
    """An automatic answer of qn to qm."""
    return asked(treaty, an_answer(a_query()), sender=treaty.parties[QN], recipient=treaty.parties[QM], officer=None, **changes)


def read(treaty: Treaty, raw: bytes, roster, *, own: str = "qn", peer: str = "qm", now: float = NOW):
    names = {"own": treaty.parties[PartyId(own)].name, "peer": treaty.parties[PartyId(peer)].name}
    return read_envelope(raw, roster=roster, now=now, **names)


def opened(treaty: Treaty, raw: bytes, roster, *, now: float = NOW, **names):
    return open_message(read(treaty, raw, roster, now=now, **names), PREKEY, roster=roster, now=now)


def signed_anew(envelope: Envelope, signer: SoftwareSigner) -> bytes:
    """The same parts under a fresh signature: what the sending node itself could do."""
    outer = digest_of_parts(
        header=envelope.header, wrap=envelope.wrap, ciphertext_sha512=hashlib.sha512(envelope.ciphertext).digest()
    )
    return encode_envelope(replace(envelope, signature=signer.sign(node_message(outer))))


def flipped(raw: bytes, place: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


# --- what is believed ---


def test_a_query_arrives_with_its_officer(treaty, roster):
    sent = asked(treaty)

    got = opened(treaty, sent.raw, roster)

    assert got.content == a_query()
    assert got.statement == sent.statement
    assert got.sender == QM
    assert got.officer is not None
    assert got.officer.name == treaty.parties[QM].officer.name
    assert got.arrived.digest == sent.sealed.digest


def test_an_automatic_answer_arrives_without_an_officer(treaty, roster):
    got = opened(treaty, answered(treaty).raw, roster, own="qm", peer="qn")

    assert isinstance(got.content, Answer)
    assert got.officer is None
    assert got.statement.policy_digest


def test_an_officers_answer_arrives_with_the_officer(treaty, roster):
    qn = treaty.parties[QN]
    sent = asked(treaty, an_answer(a_query()), sender=qn, recipient=treaty.parties[QM], officer=qn.officer)

    got = opened(treaty, sent.raw, roster, own="qm", peer="qn")

    assert got.officer is not None
    assert got.officer.name == qn.officer.name


def test_the_same_statement_may_be_sealed_again_later(treaty, roster):
    """A peer was away for three weeks: the envelope is new, the statement is the old one, and so is its mark against replay."""
    later = NOW + 21 * DAY
    first = asked(treaty)
    again = asked(treaty, route={"created": later, "expires": later + DAY, "sequence": 2, "previous_digest": bytes(32)})

    got = opened(treaty, again.raw, roster, now=later)

    assert again.sealed.digest != first.sealed.digest
    assert statement_hash(got.inner.statement) == statement_hash(first.inner.statement)


# --- before anything is decrypted ---


@pytest.mark.parametrize("part", ["header", "wrap", "ciphertext", "signature"])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.999])
def test_one_changed_bit_in_any_part_is_refused_unopened(treaty, roster, part, where):
    envelope = asked(treaty).sealed.envelope
    value = getattr(envelope, part)
    changed = replace(envelope, **{part: flipped(value, int(where * len(value)))})

    with pytest.raises(PeerMisbehaviour):
        read(treaty, encode_envelope(changed), roster)


def test_every_bit_of_the_header_is_under_the_signature(treaty, roster):
    envelope = asked(treaty).sealed.envelope
    for place in range(len(envelope.header)):
        with pytest.raises((PeerMisbehaviour, UnknownParty)):
            read(treaty, encode_envelope(replace(envelope, header=flipped(envelope.header, place))), roster)


def test_an_envelope_for_another_node_is_refused(treaty, roster):
    with pytest.raises(Forbidden, match="for another node"):
        read(treaty, asked(treaty).raw, roster, own="qo")


def test_an_envelope_is_not_handed_over_by_anybody_but_its_signer(treaty, roster):
    """Not even by another Party's true node: it would learn from the receipt, and could sit on it."""
    with pytest.raises(Forbidden, match="by the node that signed it"):
        read(treaty, asked(treaty).raw, roster, peer="qo")


def test_an_envelope_that_another_node_signed_in_the_senders_name_is_refused(treaty, roster):
    with pytest.raises(Unauthentic, match="does not verify"):
        read(treaty, asked(treaty, node_signer=treaty.parties[QO].signer).raw, roster)


def test_the_officers_key_does_not_sign_for_the_node(treaty, roster):
    with pytest.raises(Unauthentic, match="does not verify"):
        read(treaty, asked(treaty, node_signer=treaty.parties[QM].officer.signer).raw, roster)


def changed_key(*, at: int) -> Treaty:
    """The directory after qm's node has another signing key since that time."""
    grown = Treaty.make(seed=21)
    for party in ("qm", "qn", "qo"):
        grown.admit(party)
    qm = grown.parties[QM]
    entry = grown.node_entry(replace(qm, signer=SoftwareSigner(secret(1, "next"))), serial=2)
    grown.enter(replace(entry, created=at), qm.key)
    return grown


def test_a_key_that_the_node_has_given_up_signs_no_more(treaty):
    grown = changed_key(at=NOW - limits.SIGNING_OVERLAP_S - 1)

    with pytest.raises(Unauthentic, match="does not verify"):
        read(grown, asked(treaty).raw, grown.roster)


def test_what_was_sealed_before_the_key_changed_arrives_all_the_same(treaty):
    for at in (NOW - limits.SIGNING_OVERLAP_S, NOW, NOW + 60):
        grown = changed_key(at=at)

        assert read(grown, asked(treaty).raw, grown.roster).header.sender.party == QM


def test_a_revoked_key_signs_nothing_whatever_time_it_says(treaty):
    grown = changed_key(at=NOW)
    qm = grown.parties[QM]
    grown.enter(Revoke(created=NOW, party=QM, kind=RevokedKind.SIGNING_KEY, id=qm.signer.public_key, reason="stolen"), qm.key)

    with pytest.raises(Unauthentic, match="does not verify"):
        read(grown, asked(treaty).raw, grown.roster)


def test_a_sender_that_the_directory_does_not_list_is_refused(treaty, roster):
    stranger = treaty.material("qz")
    raw = asked(treaty, sender=stranger, officer=stranger.officer).raw

    with pytest.raises(UnknownParty):
        read_envelope(raw, roster=roster, own=treaty.parties[QN].name, peer=stranger.name, now=NOW)


def test_the_secretariat_sends_no_messages(treaty, roster):
    name = treaty.secretariat.name
    raw = asked(treaty, route={"sender": name}).raw

    with pytest.raises(UnknownParty, match="Secretariat"):
        read_envelope(raw, roster=roster, own=treaty.parties[QN].name, peer=name, now=NOW)


def with_header(treaty: Treaty, **changes) -> bytes:
    """An envelope whose node signed a header that says something else."""
    qm = treaty.parties[QM]
    envelope = asked(treaty).sealed.envelope
    header = encode_header(replace(decode_header(envelope.header), **changes))
    return signed_anew(replace(envelope, header=header), qm.signer)


def test_another_suite_is_refused_by_its_number(treaty, roster):
    with pytest.raises(Incompatible, match="suite 0x0002; this node opens 0x0001"):
        read(treaty, with_header(treaty, suite=2), roster)


def test_another_protocol_version_is_refused_by_its_number(treaty, roster):
    with pytest.raises(Incompatible, match="protocol version 2"):
        read(treaty, with_header(treaty, version=2), roster)


@pytest.mark.parametrize("size", ["wrap_bytes", "ciphertext_bytes"])
def test_a_header_that_tells_other_sizes_is_refused(treaty, roster, size):
    with pytest.raises(Malformed, match="other sizes"):
        read(treaty, with_header(treaty, **{size: 17}), roster)


def test_an_unknown_field_in_a_signed_header_is_refused(treaty, roster):
    envelope = asked(treaty).sealed.envelope
    smuggled = replace(envelope, header=envelope.header + varint(UNKNOWN_FIELD << 3) + b"\x01")

    with pytest.raises(Malformed, match="unknown field"):
        read(treaty, signed_anew(smuggled, treaty.parties[QM].signer), roster)


def test_the_first_envelope_of_a_lane_names_none_before_it_and_all_others_do(treaty, roster):
    for sequence, previous in ((0, b""), (1, bytes(32)), (2, b""), (2, bytes(31))):
        with pytest.raises(Malformed):
            read(treaty, with_header(treaty, sequence=sequence, previous_digest=previous), roster)


# --- time ---


def test_an_envelope_may_be_five_minutes_off_in_both_directions(treaty, roster):
    raw = asked(treaty, route={"expires": NOW + DAY}).raw

    read(treaty, raw, roster, now=NOW - limits.CLOCK_TOLERANCE_S)
    read(treaty, raw, roster, now=NOW + DAY + limits.CLOCK_TOLERANCE_S)


def test_an_envelope_from_the_future_is_refused_with_both_clocks(treaty, roster):
    with pytest.raises(Unauthentic) as refusal:
        read(treaty, asked(treaty).raw, roster, now=NOW - limits.CLOCK_TOLERANCE_S - 1)

    assert (
        "made at 2027-01-15 08:00:00 UTC by its sender's clock, and here it is 2027-01-15 07:54:59 UTC" in refusal.value.message
    )
    assert "one of the two clocks is wrong" in refusal.value.hint


def test_an_envelope_of_a_clock_that_is_ten_minutes_off_is_refused_and_both_clocks_are_shown(treaty, roster):
    for off_s in (-600, 7 * DAY + 600):
        with pytest.raises(Unauthentic, match="by its sender's clock, and here it is"):
            opened(treaty, asked(treaty).raw, roster, now=NOW + off_s)


def test_an_expired_envelope_is_refused_with_both_clocks(treaty, roster):
    with pytest.raises(Unauthentic) as refusal:
        read(treaty, asked(treaty).raw, roster, now=NOW + 7 * DAY + limits.CLOCK_TOLERANCE_S + 1)

    assert "good until 2027-01-22 08:00:00 UTC by its sender's clock, and here it is 2027-01-22 08:05:01" in refusal.value.message


def test_an_envelope_that_claims_too_long_a_life_is_refused(treaty, roster):
    raw = asked(treaty, route={"expires": NOW + limits.ENVELOPE_LIFE_S_MAX + 1}).raw

    with pytest.raises(Unauthentic, match="longer life"):
        read(treaty, raw, roster)


# --- what the sending node itself could try ---


@pytest.mark.parametrize("part", ["wrap", "ciphertext"])
def test_changed_parts_do_not_open_although_the_node_signed_them(treaty, roster, part):
    envelope = asked(treaty).sealed.envelope
    value = getattr(envelope, part)
    raw = signed_anew(replace(envelope, **{part: flipped(value, len(value) // 2)}), treaty.parties[QM].signer)

    with pytest.raises(Unauthentic, match="does not open"):
        opened(treaty, raw, roster)


def test_a_sealed_content_does_not_open_under_another_header(treaty, roster):
    with pytest.raises(Unauthentic, match="does not open"):
        opened(treaty, with_header(treaty, expires=NOW + DAY), roster)


def test_another_body_under_a_receipted_header_is_refused(treaty, roster):
    """The header commits to statement, signature, salt and body: a node cannot show somebody else a second content for it."""
    other = asked(treaty, a_query("QNOTHER"))
    raw = with_header(treaty, commitment=decode_header(other.sealed.envelope.header).commitment)

    with pytest.raises(Unauthentic, match="does not open"):
        opened(treaty, raw, roster)


def test_an_envelope_for_another_key_does_not_open(treaty, roster):
    raw = asked(treaty, key=public_key(private_key("another"))).raw

    with pytest.raises(Unauthentic, match="does not open"):
        opened(treaty, raw, roster)


def test_a_body_that_the_officer_did_not_sign_is_refused(treaty, roster):
    qm = treaty.parties[QM]
    swapped = encode_query_body(a_query("QNOTHER"), certificate=qm.officer.certificate)
    honest = asked(treaty)

    sent = asked(treaty, body=swapped, statement={"body_digest": honest.statement.body_digest})

    with pytest.raises(Unauthentic, match="not the one that the statement names"):
        opened(treaty, sent.raw, roster)


# --- statement against header ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"message_id": MessageId(bytes(16)), "conversation": MessageId(bytes(16))}, "different messages"),
        ({"sender": QO}, "different Parties"),
        ({"recipient": QO}, "different Parties"),
        ({"created": NOW + limits.CLOCK_TOLERANCE_S + 1}, "younger than its envelope"),
        ({"deadline": NOW + limits.QUERY_DEADLINE_S_MAX + 1}, "leaves more time"),
    ],
)
def test_a_statement_that_contradicts_its_header_is_refused(treaty, roster, changes, words):
    with pytest.raises(Forbidden, match=words):
        opened(treaty, asked(treaty, statement=changes).raw, roster)


@pytest.mark.parametrize(
    "changes",
    [
        {"conversation": MessageId(bytes(16))},
        {"in_reply_to": MessageId(b"\x01" * 16)},
        {"kind": MessageKind.ANSWER},
        {"officer_id": None},
        {"officer_id": None, "certificate_hash": b""},
        {"officer_id": None, "certificate_hash": b"", "policy_digest": bytes(32)},
        {"policy_digest": bytes(32)},
        {"certificate_hash": bytes(31)},
        {"body_digest": bytes(31)},
    ],
)
def test_a_statement_that_is_none_is_refused(treaty, roster, changes):
    with pytest.raises(Malformed):
        opened(treaty, asked(treaty, statement=changes).raw, roster)


def test_a_query_does_not_travel_as_an_answer(treaty, roster):
    qm = treaty.parties[QM]
    body = encode_answer_body(an_answer(a_query()), certificate=qm.officer.certificate)
    sent = asked(treaty, body=body, statement={"body_digest": body_digest(body)})

    with pytest.raises(Forbidden, match="another kind than its body"):
        opened(treaty, sent.raw, roster)


def test_a_reply_key_to_which_nobody_could_seal_is_refused_at_the_door(treaty, roster):
    """Otherwise the answer could never go out, and the query would wait for ever."""
    low_order = private_key("reply").public_key[:-32] + bytes(32)

    with pytest.raises(Malformed, match="sealing key"):
        opened(treaty, asked(treaty, a_query(reply_key=low_order)).raw, roster)


# --- officers ---


def test_an_officer_of_another_party_does_not_sign_for_this_one(treaty, roster):
    with pytest.raises(Malformed, match="names another trust domain"):
        opened(treaty, asked(treaty, officer=treaty.parties[QO].officer).raw, roster)


def test_an_officers_certificate_from_another_treaty_is_refused(treaty, roster):
    other = Treaty.make(seed=22)

    with pytest.raises(Unauthentic, match="officer certificate"):
        opened(treaty, asked(treaty, officer=other.admit("qm").officer).raw, roster)


def test_a_signature_of_another_officer_of_the_same_party_is_refused(treaty, roster):
    other = treaty.officer("qm", "second")

    with pytest.raises(Unauthentic, match="does not verify"):
        opened(treaty, asked(treaty, statement_signer=other.signer).raw, roster)


def test_the_nodes_key_does_not_sign_for_an_officer(treaty, roster):
    with pytest.raises(Unauthentic, match="does not verify"):
        opened(treaty, asked(treaty, statement_signer=treaty.parties[QM].signer).raw, roster)


def test_a_signature_over_other_bytes_is_refused(treaty, roster):
    class Misled:
        """Signs something else than what it is given."""

        public_key = treaty.parties[QM].officer.signer.public_key

        def sign(self, content: bytes) -> bytes:
            return treaty.parties[QM].officer.signer.sign(content + b" ")

    with pytest.raises(Unauthentic, match="does not verify"):
        opened(treaty, asked(treaty, statement_signer=Misled()).raw, roster)


def test_a_certificate_that_the_statement_does_not_name_is_refused(treaty, roster):
    second = treaty.officer("qm", "second")
    query = a_query()
    body = encode_query_body(query, certificate=second.certificate)
    sent = asked(treaty, query, body=body, statement={"body_digest": body_digest(body)})

    with pytest.raises(Unauthentic, match="not the one that the statement names"):
        opened(treaty, sent.raw, roster)


def test_a_statement_in_the_name_of_another_officer_is_refused(treaty, roster):
    with pytest.raises(Unauthentic, match="somebody else's"):
        opened(treaty, asked(treaty, statement={"officer_id": "aaaaaaaa"}).raw, roster)


def test_an_officer_whose_certificate_has_ended_is_refused(treaty, roster):
    late = NOW + limits.OFFICER_CERTIFICATE_LIFE_S + 60
    sent = asked(treaty, route={"created": late, "expires": late + DAY})

    with pytest.raises(Unauthentic, match="the certificate is valid from"):
        opened(treaty, sent.raw, roster, now=late)


def ending_soon(treaty: Treaty, *, after_s: int):
    """The officer of qm with a certificate that ends so long after now."""
    officer = treaty.parties[QM].officer
    made = NOW + after_s - limits.OFFICER_CERTIFICATE_LIFE_S
    certificate = issue_officer_certificate(
        officer.signer.public_key, name=officer.name, ca=treaty.parties[QM].ca, now=made, entropy=os.urandom
    )
    return replace(officer, certificate=certificate)


def test_an_officer_whose_certificate_ended_while_the_message_waited_is_believed(treaty, roster):
    """A peer that was away for a month; the node has sealed the same statement again since."""
    month = NOW + 30 * DAY
    sent = asked(
        treaty,
        officer=ending_soon(treaty, after_s=DAY),
        statement={"deadline": NOW + 60 * DAY},
        route={"created": month, "expires": month + DAY},
    )
    assert opened(treaty, sent.raw, roster, now=month).officer is not None


def test_an_officer_whose_certificate_had_ended_when_the_statement_was_made_is_refused(treaty, roster):
    sent = asked(treaty, officer=ending_soon(treaty, after_s=-60))
    with pytest.raises(Unauthentic, match="the certificate is valid from"):
        opened(treaty, sent.raw, roster)


def test_beyond_its_deadline_a_query_does_not_say_when_it_was_signed(treaty, roster):
    """Whoever has an old officer's key and the node's cannot date a query back as far as they like."""
    late = NOW + 7 * DAY + limits.CLOCK_TOLERANCE_S + 1
    for arrived, refused in ((late - 1, False), (late, True)):
        sent = asked(
            treaty,
            officer=ending_soon(treaty, after_s=DAY),
            statement={"deadline": NOW + 7 * DAY},
            route={"created": arrived, "expires": arrived + DAY},
        )
        if refused:
            with pytest.raises(Unauthentic, match="the certificate is valid from"):
                opened(treaty, sent.raw, roster, now=arrived)
        else:
            assert opened(treaty, sent.raw, roster, now=arrived).officer is not None


def test_what_a_revoked_ca_verified_is_refused_whenever_it_was_signed(treaty, roster):
    record = roster.party(QM)
    without = with_party(roster, QM, replace(record, revoked=record.revoked | {record.cas[0].key_hash}))
    with pytest.raises(Unauthentic, match="pins no CA"):
        opened(treaty, asked(treaty).raw, without)


def test_a_nodes_certificate_is_no_officers(treaty, roster):
    qm = treaty.parties[QM]

    with pytest.raises(PeerMisbehaviour):
        opened(treaty, asked(treaty, certificate=qm.tls_certificate).raw, roster)


@pytest.mark.parametrize("extra", ["certificate", "signature"])
def test_a_policy_carries_no_officer(treaty, roster, extra):
    qn = treaty.parties[QN]
    given = {"certificate": qn.officer.certificate} if extra == "certificate" else {"statement_signer": qn.officer.signer}

    with pytest.raises(Malformed, match="neither certificate nor signature"):
        opened(treaty, answered(treaty, **given).raw, roster, own="qm", peer="qn")


def test_every_refusal_of_a_query_is_the_senders_fault(treaty, roster):
    """A body is a value of `federation.query`, which calls a bad one the operator's mistake; over the wire it is the peer's."""
    raw = asked(treaty, body=b"\x12\x02\x10\x01", statement={"body_digest": body_digest(b"\x12\x02\x10\x01")}).raw

    with pytest.raises(Malformed):
        opened(treaty, raw, roster)


def attached(number: int) -> Attachment:
    """A file that nobody has to have."""
    facts = FileFacts(name=f"{number}.pdf", media_type=MediaType.PDF, size=100 + number, sha512=bytes(64))
    return Attachment(
        attachment_id=AttachmentId(number.to_bytes(16)), facts=facts, key=bytes(32), ciphertext_sha512=bytes(63) + bytes([number])
    )


def test_files_that_the_header_and_the_body_name_come_through(treaty, roster):
    files = (attached(1), attached(2))
    sent = asked(treaty, replace(a_query(), attachments=files), route={"attachments": tuple(one.named for one in files)})

    came = opened(treaty, sent.raw, roster)
    assert came.content.attachments == files
    assert came.arrived.header.attachments == tuple(one.named for one in files)


@pytest.mark.parametrize("named", [(), (2,), (2, 1), (1, 2, 3)])
def test_a_header_that_names_other_files_than_the_body_is_refused(treaty, roster, named):
    content = replace(a_query(), attachments=(attached(1), attached(2)))
    sent = asked(treaty, content, route={"attachments": tuple(attached(number).named for number in named)})

    with pytest.raises(Forbidden, match="other files"):
        opened(treaty, sent.raw, roster)


def test_a_message_without_files_has_the_bytes_that_it_always_had(treaty):
    header = asked(treaty).sealed.envelope.header
    assert decode_header(header).attachments == ()
    assert encode_header(replace(decode_header(header), attachments=())) == header
