"""The proof file: what convinces a third party, and that nothing else does, to the last byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.directory import sign_checkpoint
from federation.boundary.proof import ProofReport, check_proof
from federation.delivery.receipt import SignedReceipt
from federation.envelope.header import MessageKind
from federation.errors import Forbidden, Incompatible, Malformed, PeerMisbehaviour, Unauthentic
from federation.evidence.bundle import Proof
from federation.evidence.journal import JournalKind, origin
from federation.identity import MessageId, PartyId
from federation.query.answer import Answer
from federation.query.query import Query
from federation.trust import note
from federation.trust.directory import entry_message
from federation.trust.entries import EntryKind
from federation.trust.keys import SoftwareSigner
from federation.wire.directory import decode_signed_entry, encode_signed_entry
from federation.wire.envelope import decode_header
from federation.wire.evidence import encode_proof
from tests.support.crossing import Conversation, Journal, a_query, an_answer, message, private_key, public_key
from tests.support.treaty import DAY, NOW, Treaty, secret

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")
CHANGED_BYTES = 200
"""Places at which the file is changed, spread evenly."""


@pytest.fixture(scope="module")
def treaty() -> Treaty:
    made = Treaty.make(seed=41)
    for party in ("qm", "qn", "qo"):
        made.admit(party)
    return made


@pytest.fixture(scope="module")
def talk(treaty) -> Conversation:
    return Conversation(treaty, treaty.parties[QM], treaty.parties[QN])


@pytest.fixture(scope="module")
def proof(talk) -> Proof:
    return talk.proof(talk.asking)


def check(treaty: Treaty, proof: Proof | bytes, **changes) -> ProofReport:
    raw = proof if isinstance(proof, bytes) else encode_proof(proof)
    known = {"log_key": treaty.genesis.log_key, "genesis_digest": treaty.genesis_digest}
    return check_proof(raw, **(known | changes))


def with_crossing(proof: Proof, place: int, **changes) -> Proof:
    crossings = list(proof.crossings)
    crossings[place] = replace(crossings[place], **changes)
    return replace(proof, crossings=tuple(crossings))


# --- what it shows ---


@pytest.mark.parametrize("exporter", ["asking", "answering"])
def test_either_side_can_prove_what_was_asked_and_answered(treaty, talk, exporter):
    report = check(treaty, talk.proof(getattr(talk, exporter)))

    query, answer = report.crossings
    assert report.exporter == getattr(talk, exporter).name
    assert report.genesis == treaty.genesis
    assert report.directory_size == 7
    assert report.cosigners == ("one.qm.nodes.gsp.example", "one.qn.nodes.gsp.example")
    assert (query.header.sender, query.header.recipient) == (talk.asking.name, talk.answering.name)
    assert (query.digest, answer.digest) == (talk.query.sealed.digest, talk.answer.sealed.digest)
    assert query.content is not None
    assert query.content.content == a_query()
    assert query.content.officer is not None
    assert query.content.officer.name == talk.asking.officer.name
    assert answer.content is not None
    assert answer.content.content == an_answer(a_query())
    assert answer.content.officer is None
    assert [one.receipt.received_at for one in report.crossings if one.receipt] == [NOW + 1, NOW + 1]


def test_without_disclosure_it_shows_that_and_when_and_not_what(treaty, talk):
    raw = encode_proof(talk.proof(talk.asking, disclose=False))

    report = check(treaty, raw)

    assert [one.content for one in report.crossings] == [None, None]
    assert all(one.receipt is not None for one in report.crossings)
    assert b"lorry" not in raw
    assert talk.asking.officer.name.officer_id.encode() not in raw


def test_without_receipts_it_shows_only_what_was_sent(treaty, talk):
    report = check(treaty, talk.proof(talk.asking, receipts=False))

    assert [one.receipt for one in report.crossings] == [None, None]
    assert all(one.content is not None for one in report.crossings)


def test_a_query_that_was_not_answered_yet_is_proved_alone(treaty, proof):
    report = check(treaty, replace(proof, crossings=proof.crossings[:1]))

    assert len(report.crossings) == 1


def test_it_needs_no_cosignature(treaty, proof):
    report = check(treaty, replace(proof, directory_checkpoint=treaty.checkpoint()))

    assert report.cosigners == ()


def test_it_stays_good_when_the_directory_has_grown(talk):
    treaty = Treaty.make(seed=41)
    parties = [treaty.admit(party) for party in ("qm", "qn")]
    early = Conversation(treaty, *parties).proof(parties[0])
    treaty.admit("qo")

    assert check(treaty, early).directory_size == 5
    assert check(treaty, Conversation(treaty, *parties).proof(parties[0])).directory_size == 7


def test_a_key_that_a_node_has_given_up_still_proves_what_it_signed():
    """Both nodes have got new keys since; the exporter signs its journal with the new one."""
    treaty = Treaty.make(seed=41)
    parties = [treaty.admit(party) for party in ("qm", "qn")]
    talk = Conversation(treaty, *parties)
    renewed = []
    for party in parties:
        renewed.append(replace(party, signer=SoftwareSigner(secret(41, f"renewed {party.party}"))))
        treaty.enter(treaty.node_entry(renewed[-1], serial=2), party.key)
    talk.asking, talk.answering = renewed
    talk.journals[QM].owner = renewed[0]

    report = check(treaty, talk.proof(talk.asking))

    assert [one.content is not None and one.receipt is not None for one in report.crossings] == [True, True]


# --- every byte counts ---


@pytest.mark.parametrize("disclose", [True, False])
def test_a_change_of_any_byte_is_refused(treaty, talk, disclose):
    raw = encode_proof(talk.proof(talk.asking, disclose=disclose))
    for number in range(CHANGED_BYTES):
        place = number * len(raw) // CHANGED_BYTES
        for bit in (1, 0x80):
            with pytest.raises(PeerMisbehaviour):
                check(treaty, raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :])


@pytest.mark.parametrize("cut", [1, 100, 5_000])
def test_a_shortened_or_lengthened_file_is_refused(treaty, proof, cut):
    raw = encode_proof(proof)

    for changed in (raw[:-cut], raw[cut:], raw + bytes(cut), b""):
        with pytest.raises(PeerMisbehaviour):
            check(treaty, changed)


# --- whose word it stands on ---


def test_another_log_key_is_refused(treaty, talk, proof):
    with pytest.raises(Unauthentic, match="log key you named"):
        check(treaty, proof, log_key=talk.asking.signer.public_key)


def test_another_genesis_is_refused(treaty, proof):
    with pytest.raises(Unauthentic, match="another directory than the one you named"):
        check(treaty, proof, genesis_digest=Treaty.make(seed=42).genesis_digest)


def test_a_whole_treaty_made_up_by_the_exporter_convinces_nobody(treaty):
    made_up = Treaty.make(seed=42)
    parties = [made_up.admit(party) for party in ("qm", "qn")]
    forged = Conversation(made_up, *parties).proof(parties[0])

    assert check(made_up, forged)
    with pytest.raises(Unauthentic):
        check(treaty, forged)


def test_another_version_of_the_file_is_told_apart(treaty, proof):
    with pytest.raises(Incompatible, match="version 2"):
        check(treaty, b"\x08\x02" + encode_proof(proof)[2:])


# --- the directory in it ---


def test_a_proof_begins_with_the_genesis(treaty, proof):
    for entries in ((), proof.entries[1:], proof.entries[::-1]):
        with pytest.raises(Malformed):
            check(treaty, replace(proof, entries=entries))


def test_entries_stand_in_order_and_once(treaty, proof):
    genesis, first, *others = proof.entries
    for entries in ((genesis, first, first, *others), (genesis, *others, first), (genesis, genesis, first, *others)):
        with pytest.raises(Malformed, match="in the order of the log"):
            check(treaty, replace(proof, entries=entries))


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_an_entry_that_is_missing_is_missed(treaty, proof, place):
    entries = tuple(entry for number, entry in enumerate(proof.entries) if number != place)

    with pytest.raises(Unauthentic):
        check(treaty, replace(proof, entries=entries))


def test_an_entry_that_is_not_in_the_log_is_refused(treaty, talk, proof):
    """The exporter lists a signing key of its own choice for the other side; its Party key did not sign, and the log has it not."""
    *entries, node = proof.entries
    parsed = decode_signed_entry(node.leaf)
    signature = replace(parsed.signatures[0], signature=talk.asking.key.sign(entry_message(EntryKind.NODE, parsed.body)))
    forged = replace(node, leaf=encode_signed_entry(replace(parsed, signatures=(signature,))))

    with pytest.raises(Unauthentic, match="does not lead to the root"):
        check(treaty, replace(proof, entries=(*entries, forged)))


def test_an_entry_that_breaks_its_rule_is_refused_although_it_is_in_the_log():
    treaty = Treaty.make(seed=43)
    qm, qn = treaty.admit("qm"), treaty.admit("qn")
    bad = treaty.enter(treaty.node_entry(qn, serial=2), qm.key)
    proof = Conversation(treaty, qm, qn).proof(qm)
    extra = replace(proof.entries[-1], index=bad, leaf=treaty.log[bad], inclusion=treaty.inclusion(bad))
    assert check(treaty, proof)

    with pytest.raises(Unauthentic, match="breaks its author rule: only the Party's own key"):
        check(treaty, replace(proof, entries=(*proof.entries, extra)))


def test_a_cosignature_that_the_entries_do_not_explain_is_refused(treaty, proof):
    every = treaty.replica(witnesses=treaty.parties.values()).note

    with pytest.raises(Unauthentic, match="do not explain"):
        check(treaty, replace(proof, directory_checkpoint=every))


def test_a_false_cosignature_is_refused(treaty, proof):
    parsed = note.parse_note(proof.directory_checkpoint)
    log, first, second = parsed.signatures
    false = note.format_note(note.Note(text=parsed.text, signatures=(log, first, replace(second, blob=first.blob))))

    with pytest.raises(Unauthentic, match="do not explain"):
        check(treaty, replace(proof, directory_checkpoint=false))


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(treaty, proof):
    parsed = note.parse_note(proof.directory_checkpoint)
    cosigned_only = note.format_note(note.Note(text=parsed.text, signatures=parsed.signatures[1:]))

    with pytest.raises(Unauthentic, match="no known key signed"):
        check(treaty, replace(proof, directory_checkpoint=cosigned_only))


# --- the journal in it ---


def test_the_journal_of_somebody_else_is_refused(treaty, talk, proof):
    with pytest.raises(Unauthentic, match="no known key signed"):
        check(treaty, replace(proof, journal_checkpoint=talk.journals[QN].checkpoint()))
    with pytest.raises(Unauthentic):
        check(treaty, replace(proof, exporter=talk.answering.name))


def test_a_third_partys_journal_proves_nothing_about_these_messages(treaty, talk, proof):
    qo = treaty.parties[QO]
    journal = Journal(qo)
    journal.write(JournalKind.RECEIVED, about=talk.query, peer=talk.asking, at=NOW)
    entries = [replace(proof.entries[0], index=one, leaf=treaty.log[one], inclusion=treaty.inclusion(one)) for one in range(7)]
    forged = replace(
        with_crossing(proof, 0, leaf_salt=journal.leaves[0].salt, leaf_content=journal.leaves[0].content, inclusion=()),
        exporter=qo.name,
        journal_checkpoint=journal.checkpoint(),
        entries=tuple(entries),
    )

    with pytest.raises(Forbidden, match="neither sent nor received"):
        check(treaty, forged)


def test_a_line_of_somebody_else_under_the_journal_is_refused(treaty, proof):
    added = proof.journal_checkpoint + "\N{EM DASH} other.example AAAAAAA=\n".encode()

    with pytest.raises(Unauthentic, match="signature of somebody else"):
        check(treaty, replace(proof, journal_checkpoint=added))


@pytest.mark.parametrize("kind", [JournalKind.RECEIVED, JournalKind.DECIDED])
def test_the_journal_has_to_say_the_same_as_the_message(treaty, talk, kind):
    """The asking side wrote something else down when it sent."""
    journal = Journal(talk.asking)
    journal.write(kind, about=talk.query, peer=talk.answering, at=NOW)
    journal.write(JournalKind.RECEIVED, about=talk.answer, peer=talk.answering, at=NOW)
    honest = talk.proof(talk.asking)
    forged = replace(honest, journal_checkpoint=journal.checkpoint())
    for place in range(2):
        leaf = journal.leaves[place]
        forged = with_crossing(forged, place, leaf_salt=leaf.salt, leaf_content=leaf.content, inclusion=journal.inclusion(place))

    with pytest.raises(Unauthentic, match="journal says something else"):
        check(treaty, forged)


# --- the messages in it ---


def test_a_proof_without_a_message_is_refused(treaty, proof):
    with pytest.raises(Malformed, match="without a message"):
        check(treaty, replace(proof, crossings=()))


def test_the_answer_alone_is_no_proof(treaty, proof):
    with pytest.raises(Forbidden, match="begins with the query"):
        check(treaty, replace(proof, crossings=proof.crossings[1:]))


def test_a_query_is_no_answer_to_itself(treaty, proof):
    with pytest.raises(Forbidden, match="not from the node that was asked"):
        check(treaty, replace(proof, crossings=proof.crossings[:1] * 2))


def test_the_receipt_of_another_message_is_refused(treaty, proof):
    query, answer = proof.crossings

    with pytest.raises(Unauthentic):
        check(treaty, with_crossing(proof, 0, receipt=answer.receipt))
    assert isinstance(query.receipt, SignedReceipt)


@pytest.mark.parametrize("missing", ["salt", "statement", "statement_signature", "body"])
def test_a_disclosure_is_whole_or_there_is_none(treaty, proof, missing):
    with pytest.raises(PeerMisbehaviour):
        check(treaty, with_crossing(proof, 0, **{missing: b""}))


@pytest.mark.parametrize("part", ["salt", "body", "statement_signature"])
def test_nothing_rides_along_beside_what_is_not_disclosed(treaty, talk, part):
    closed, told = talk.proof(talk.asking, disclose=False), talk.proof(talk.asking)

    with pytest.raises(PeerMisbehaviour):
        check(treaty, with_crossing(closed, 0, **{part: getattr(told.crossings[0], part)}))


def test_another_content_is_not_what_the_header_is_committed_to(treaty, talk, proof):
    """The officer would even have signed it: the receipt is for the header, and the header is committed to one content."""
    other = message(
        treaty,
        a_query("QNOTHER"),
        sender=talk.asking,
        recipient=talk.answering,
        key=public_key(private_key("prekey")),
        officer=talk.asking.officer,
    )
    inner = other.inner

    with pytest.raises(Unauthentic, match="not what the receipted header is committed to"):
        check(
            treaty,
            with_crossing(
                proof,
                0,
                salt=inner.salt,
                statement=inner.statement,
                statement_signature=inner.statement_signature,
                body=inner.body,
            ),
        )


def proof_of(treaty: Treaty, talk: Conversation, *, query=None, answer=None, received_at: int = NOW + 1) -> Proof:
    """A proof of two messages of which at least one is not as it should be, receipted all the same."""
    made = Conversation(treaty, talk.asking, talk.answering)
    made.query, made.answer = query or made.query, answer or made.answer
    made.journals = {QM: Journal(talk.asking), QN: Journal(talk.answering)}
    two = ((made.query, talk.asking, talk.answering), (made.answer, talk.answering, talk.asking))
    for said, sender, receiver in two:
        made.journals[sender.party].write(JournalKind.SENT, about=said, peer=receiver, at=NOW)
        receipt = made.journals[receiver.party].receipt(said, peer=sender, at=received_at)
        made.receipts[MessageId(decode_header(said.sealed.envelope.header).message_id)] = receipt
    return made.proof(talk.asking)


def asked(treaty: Treaty, talk: Conversation, **changes):
    given = {"sender": talk.asking, "recipient": talk.answering, "key": public_key(private_key("prekey"))}
    return message(treaty, a_query(), **(given | {"officer": talk.asking.officer} | changes))


def answered(treaty: Treaty, talk: Conversation, **changes):
    given = {"sender": talk.answering, "recipient": talk.asking, "key": public_key(private_key("reply")), "number": 2}
    return message(treaty, an_answer(a_query()), **(given | changes))


def test_the_messages_of_a_made_up_proof_are_as_good_as_true_ones(treaty, talk):
    report = check(treaty, proof_of(treaty, talk))

    assert isinstance(report.crossings[0].content.content, Query)
    assert isinstance(report.crossings[1].content.content, Answer)


def test_a_statement_to_another_party_is_refused(treaty, talk):
    """A node shows the court an officer's true statement that was meant for somebody else."""
    query = asked(treaty, talk, statement={"recipient": QO})

    with pytest.raises(Forbidden, match="different Parties"):
        check(treaty, proof_of(treaty, talk, query=query))


def test_an_officer_of_the_other_party_is_refused(treaty, talk):
    query = asked(treaty, talk, officer=talk.answering.officer)

    with pytest.raises(PeerMisbehaviour):
        check(treaty, proof_of(treaty, talk, query=query))


def test_a_statement_that_was_dated_back_does_not_revive_an_officers_certificate(treaty, talk):
    """The receiver's clock counts, because a statement's time is whatever its signer writes."""
    late = NOW + limits.OFFICER_CERTIFICATE_LIFE_S + DAY
    query = asked(treaty, talk, route={"created": late, "expires": late + DAY})

    with pytest.raises(Unauthentic, match="the certificate is valid from"):
        check(treaty, proof_of(treaty, talk, query=query, received_at=late))


def test_an_answer_to_another_query_is_refused(treaty, talk):
    other = MessageId(bytes(16))
    answer = answered(treaty, talk, statement={"in_reply_to": other, "conversation": other})

    with pytest.raises(Forbidden, match="answers another query"):
        check(treaty, proof_of(treaty, talk, answer=answer))


def test_a_statement_of_another_kind_than_its_body_is_refused(treaty, talk):
    answer = answered(
        treaty,
        talk,
        officer=talk.answering.officer,
        statement={"kind": MessageKind.QUERY, "in_reply_to": None, "conversation": MessageId(b"\x02" * 16)},
    )

    with pytest.raises(Forbidden, match="another kind than its body"):
        check(treaty, proof_of(treaty, talk, answer=answer))


# --- after the exporter was put back from a backup ---


def test_a_proof_from_before_a_restore_holds_and_so_does_one_from_after_it(treaty, talk, proof):
    """The old file stands as it was; a new one is of the journal of now, which holds what stood in it before."""
    journal = talk.journals[QM]
    later = sign_checkpoint(origin(talk.asking.name.dns, NOW), journal.frontier, talk.asking.signer)

    assert check(treaty, proof).exporter == talk.asking.name
    assert check(treaty, replace(proof, journal_checkpoint=later)).exporter == talk.asking.name


def test_an_epoch_of_another_nodes_journal_is_refused(treaty, talk, proof):
    other = sign_checkpoint(origin(talk.answering.name.dns, NOW), talk.journals[QM].frontier, talk.asking.signer)

    with pytest.raises(Unauthentic):
        check(treaty, replace(proof, journal_checkpoint=other))
