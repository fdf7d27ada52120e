"""Receipts and prekey bundles: what they prove, and everything that is not one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.receipts import journal_leaf, read_bundle, read_receipt, sign_bundle, sign_receipt
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope.header import Prekey, PrekeyBundle
from federation.errors import Forbidden, Incompatible, Malformed, PeerMisbehaviour, Unauthentic, UnknownParty
from federation.evidence.journal import (
    NO_MESSAGE,
    Epoch,
    JournalKind,
    JournalRecord,
    Position,
    Restoration,
    epoch_in,
    epoch_of,
)
from federation.identity import MessageId, PartyId
from federation.trust import keys, note
from federation.trust.keys import SoftwareSigner
from federation.wire.envelope import encode_bundle, encode_signed_bundle
from federation.wire.evidence import decode_receipt, decode_record, encode_receipt, encode_record
from tests.support.crossing import Conversation, Journal, private_key, public_key
from tests.support.treaty import DAY, NOW, Treaty, secret

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")
PREKEY = public_key(private_key("prekey"))


@pytest.fixture(scope="module")
def treaty() -> Treaty:
    made = Treaty.make(seed=31)
    for party in ("qm", "qn", "qo"):
        made.admit(party)
    return made


@pytest.fixture
def talk(treaty) -> Conversation:
    return Conversation(treaty, treaty.parties[QM], treaty.parties[QN])


def receipt_of(talk: Conversation) -> SignedReceipt:
    """What the answering node promised for the query."""
    return talk.receipts[talk.query.statement.message_id]


def read(talk: Conversation, signed: SignedReceipt, **changes) -> Receipt:
    """As the asking node reads it."""
    given = {
        "signing_key": talk.answering.signer.public_key,
        "receiver": talk.answering.name,
        "message_id": talk.query.statement.message_id,
        "digest": talk.query.sealed.digest,
    }
    return read_receipt(signed, **(given | changes))


def signed_anew(talk: Conversation, **changes) -> SignedReceipt:
    """A receipt that says something else, over the receiver's true signature."""
    statement = encode_receipt(replace(decode_receipt(receipt_of(talk).statement), **changes))
    return SignedReceipt(statement=statement, signature=talk.answering.signer.sign(keys.pae("receipt", statement)))


# --- receipts ---


def test_a_receipt_proves_that_an_envelope_stands_in_the_receivers_journal(talk):
    receipt = read(talk, receipt_of(talk))

    record = decode_record(receipt.leaf_content)
    assert receipt.received_at == record.at == NOW + 1
    assert record.peer == QM
    assert receipt.leaf_index == 0


def test_the_same_envelope_always_gets_the_same_receipt(talk):
    journal = Journal(talk.answering)
    first = journal.receipt(talk.query, peer=talk.asking, at=NOW + 1)

    assert first == receipt_of(talk)


@pytest.mark.parametrize("before", [0, 1, 2, 6])
def test_a_receipt_holds_at_every_place_of_a_journal(talk, before):
    journal = Journal(talk.answering)
    for _ in range(before):
        journal.receipt(talk.answer, peer=talk.asking, at=NOW)

    receipt = read(talk, journal.receipt(talk.query, peer=talk.asking, at=NOW))

    assert receipt.leaf_index == before


@pytest.mark.parametrize("part", ["statement", "signature"])
def test_a_changed_receipt_is_refused(talk, part):
    signed = receipt_of(talk)
    value = getattr(signed, part)
    for place in range(0, len(value), 7):
        changed = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]

        with pytest.raises(Unauthentic):
            read(talk, replace(signed, **{part: changed}))


@pytest.mark.parametrize("what", ["digest", "message_id", "receiver"])
def test_a_receipt_about_something_else_is_refused(talk, what):
    other = {
        "digest": talk.answer.sealed.digest,
        "message_id": talk.answer.statement.message_id,
        "receiver": talk.asking.name,
    }[what]

    with pytest.raises(Forbidden, match="about something else"):
        read(talk, receipt_of(talk), **{what: other})


def test_a_receipt_that_another_node_signed_is_refused(talk, treaty):
    with pytest.raises(Unauthentic, match="does not verify"):
        read(talk, receipt_of(talk), signing_key=treaty.parties[QO].signer.public_key)


def test_a_signature_over_the_bare_statement_is_no_receipt(talk):
    """One key signs many things: each has its own label."""
    statement = receipt_of(talk).statement
    for label in ("bundle", "entry/node"):
        signature = talk.answering.signer.sign(keys.pae(label, statement))
        with pytest.raises(Unauthentic):
            read(talk, SignedReceipt(statement=statement, signature=signature))
    with pytest.raises(Unauthentic):
        read(talk, SignedReceipt(statement=statement, signature=talk.answering.signer.sign(statement)))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": JournalKind.SENT},
        {"kind": JournalKind.DECIDED},
        {"message_id": MessageId(bytes(16))},
        {"digest": bytes(32)},
        {"at": NOW},
    ],
)
def test_a_journal_that_says_something_else_than_the_receipt_is_refused(talk, changes):
    """The receiver signs one thing for the sender and writes another into its own log."""
    record = decode_record(decode_receipt(receipt_of(talk).statement).leaf_content)
    leaf = journal_leaf(replace(record, **changes), salt=bytes(32))
    journal = Journal(talk.answering)
    honest = journal.receipt(talk.query, peer=talk.asking, at=NOW + 1)
    journal.frontier, _ = type(journal.frontier)().append(leaf.hash())
    checkpoint = journal.checkpoint()
    assert honest == receipt_of(talk)

    with pytest.raises(Unauthentic, match="wrote something else"):
        read(talk, signed_anew(talk, leaf_content=leaf.content, leaf_salt=leaf.salt, checkpoint=checkpoint))


@pytest.mark.parametrize(
    "changes",
    [{"leaf_salt": bytes(32)}, {"leaf_index": 1}, {"inclusion": (bytes(32),)}],
)
def test_a_leaf_that_is_not_in_the_checkpoint_is_refused(talk, changes):
    with pytest.raises(PeerMisbehaviour):
        read(talk, signed_anew(talk, **changes))


def test_a_leaf_content_that_is_no_record_is_refused(talk):
    with pytest.raises(Malformed):
        read(talk, signed_anew(talk, leaf_content=b"rubbish"))


def test_the_directorys_checkpoint_is_not_the_journals(talk, treaty):
    with pytest.raises(Unauthentic, match="no known key signed"):
        read(talk, signed_anew(talk, checkpoint=treaty.checkpoint()))


def test_the_nodes_cosignature_of_the_directory_is_no_checkpoint_of_its_journal(talk, treaty):
    cosigned = treaty.replica(witnesses=[talk.answering])

    with pytest.raises(Unauthentic, match="no known key signed"):
        read(talk, signed_anew(talk, checkpoint=cosigned.note))


def test_the_journal_of_another_node_is_refused(talk):
    with pytest.raises(Unauthentic, match="no known key signed"):
        read(talk, signed_anew(talk, checkpoint=talk.journals[QM].checkpoint()))


def test_a_checkpoint_about_another_log_under_the_journals_name_is_refused(talk):
    journal = talk.journals[QN]
    name = f"{talk.answering.name.dns}/journal"
    text = note.Checkpoint(origin="other.example", size=1, root=journal.leaves[0].hash()).text()
    line = note.sign_note(text, name, talk.answering.signer)
    checkpoint = note.format_note(note.Note(text=text, signatures=(line,)))

    with pytest.raises(Unauthentic, match="another log"):
        read(talk, signed_anew(talk, checkpoint=checkpoint))


def test_a_journal_checkpoint_of_another_key_is_refused(talk, treaty):
    forged = Journal(replace(talk.answering, signer=treaty.parties[QO].signer))
    forged.receipt(talk.query, peer=talk.asking, at=NOW + 1)

    with pytest.raises(Unauthentic, match="no known key signed"):
        read(talk, signed_anew(talk, checkpoint=forged.checkpoint()))


def test_a_receipt_is_made_from_the_record_in_the_journal(talk):
    """Message id and time come from the leaf, so that the receipt cannot say anything else than the journal."""
    record = JournalRecord(
        kind=JournalKind.RECEIVED, at=NOW + 9, message_id=MessageId(bytes(16)), peer=QM, digest=talk.query.sealed.digest
    )
    journal = Journal(talk.answering)
    _, position = journal.write(JournalKind.RECEIVED, about=talk.query, peer=talk.asking, at=NOW)
    leaf = journal_leaf(record, salt=bytes(32))

    signed = sign_receipt(
        receiver=talk.answering.name,
        digest=talk.query.sealed.digest,
        leaf=leaf,
        position=position,
        signer=talk.answering.signer,
    )

    receipt = decode_receipt(signed.statement)
    assert (receipt.message_id, receipt.received_at) == (MessageId(bytes(16)), NOW + 9)
    assert leaf.content == encode_record(record)


# --- prekey bundles ---


def bundle(treaty: Treaty, **changes) -> PrekeyBundle:
    made = PrekeyBundle(node=treaty.parties[QM].name, created=NOW, expires=NOW + limits.PREKEY_OFFER_S, prekeys=(PREKEY,))
    return replace(made, **changes)


def signed_bundle(treaty: Treaty, **changes) -> bytes:
    return sign_bundle(bundle(treaty, **changes), treaty.parties[QM].signer)


def test_a_bundle_that_its_node_signed_is_taken_from_anybody(treaty):
    assert read_bundle(signed_bundle(treaty), roster=treaty.roster, now=NOW) == bundle(treaty)


@pytest.mark.parametrize("now", [NOW - limits.CLOCK_TOLERANCE_S, NOW + limits.PREKEY_OFFER_S])
def test_a_bundle_is_good_from_its_making_to_its_end(treaty, now):
    assert read_bundle(signed_bundle(treaty), roster=treaty.roster, now=now)


@pytest.mark.parametrize("part", [0, 1])
def test_a_changed_bundle_is_refused(treaty, part):
    encoded = encode_bundle(bundle(treaty))
    signature = treaty.parties[QM].signer.sign(keys.pae("bundle", encoded))
    pieces = [encoded, signature]
    pieces[part] = pieces[part][:-1] + bytes([pieces[part][-1] ^ 1])

    with pytest.raises(PeerMisbehaviour):
        read_bundle(encode_signed_bundle(*pieces), roster=treaty.roster, now=NOW)


@pytest.mark.parametrize("signer", ["another node", "the Party", "an officer"])
def test_a_bundle_that_somebody_else_signed_is_refused(treaty, signer):
    """Whoever could slip in a key of their own would read what is sealed to it."""
    qm = treaty.parties[QM]
    used = {"another node": treaty.parties[QN].signer, "the Party": qm.key, "an officer": qm.officer.signer}[signer]

    with pytest.raises(Unauthentic, match="does not verify"):
        read_bundle(sign_bundle(bundle(treaty), used), roster=treaty.roster, now=NOW)


def test_a_bundle_of_a_node_that_the_directory_does_not_list_is_refused(treaty):
    for name in (treaty.material("qz").name, treaty.secretariat.name, replace(treaty.parties[QM].name, node_id="two")):
        with pytest.raises(UnknownParty):
            read_bundle(signed_bundle(treaty, node=name), roster=treaty.roster, now=NOW)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expires": NOW + limits.PREKEY_OFFER_S + 1}, "a time that no bundle has"),
        ({"created": NOW + limits.CLOCK_TOLERANCE_S + 1}, "a time that no bundle has"),
        ({"created": NOW - 2 * DAY, "expires": NOW - 1}, "has expired"),
    ],
)
def test_a_bundle_at_the_wrong_time_is_refused(treaty, changes, words):
    with pytest.raises(Unauthentic, match=words):
        read_bundle(signed_bundle(treaty, **changes), roster=treaty.roster, now=NOW)


@pytest.mark.parametrize(("suites", "min_suite"), [((2,), 2), ((1, 2), 2)])
def test_a_node_that_does_not_open_our_suite_is_told_apart(suites, min_suite):
    treaty = Treaty.make(seed=31)
    qm = treaty.admit("qm", with_node=False)
    treaty.enter(replace(treaty.node_entry(qm), suites=suites, min_suite=min_suite), qm.key)

    with pytest.raises(Incompatible, match="suite"):
        read_bundle(signed_bundle(treaty), roster=treaty.roster, now=NOW)


def test_a_prekey_to_which_nobody_can_seal_is_refused(treaty):
    low_order = Prekey(key_id=PREKEY.key_id, public_key=PREKEY.public_key[:-32] + bytes(32))

    with pytest.raises(Malformed, match="sealing key"):
        read_bundle(signed_bundle(treaty, prekeys=(PREKEY, low_order)), roster=treaty.roster, now=NOW)


def test_a_bundle_without_a_prekey_or_with_too_many_is_refused(treaty):
    for count in (0, limits.PREKEYS_PER_BUNDLE_MAX + 1):
        with pytest.raises(Malformed):
            read_bundle(signed_bundle(treaty, prekeys=(PREKEY,) * count), roster=treaty.roster, now=NOW)


def test_a_receipt_is_no_bundle(treaty):
    encoded = encode_bundle(bundle(treaty))
    signature = SoftwareSigner(secret(31, "signing one.qm.nodes.gsp.example")).sign(keys.pae("receipt", encoded))

    with pytest.raises(Unauthentic):
        read_bundle(encode_signed_bundle(encoded, signature), roster=treaty.roster, now=NOW)


# --- epochs of the journal ---


def signed_in_epoch(talk: Conversation, epoch: int) -> SignedReceipt:
    leaf = talk.journals[QN].leaves[0]
    return sign_receipt(
        receiver=talk.answering.name,
        digest=talk.query.sealed.digest,
        leaf=leaf,
        position=Position(index=0, root=leaf.hash(), inclusion=()),
        signer=talk.answering.signer,
        epoch=epoch,
    )


@pytest.mark.parametrize("epoch", [2, NOW, limits.TIME_S_MAX])
def test_a_receipt_of_a_later_epoch_is_one_too(talk, epoch):
    signed = signed_in_epoch(talk, epoch)

    assert read(talk, signed).leaf_index == 0
    assert f"{talk.answering.name.dns}/journal/{epoch}\n".encode() in signed.statement
    assert signed_in_epoch(talk, 1) == receipt_of(talk)


@pytest.mark.parametrize(
    "ending", ["/0", "/1", "/01", "/02", "/", "/2/", "/-2", "/\N{ARABIC-INDIC DIGIT TWO}", "2", "/253402300800"]
)
def test_another_spelling_of_an_epoch_is_refused(talk, ending):
    name = f"{talk.answering.name.dns}/journal{ending}"
    root = talk.journals[QN].leaves[0].hash()
    text = note.Checkpoint(origin=name, size=1, root=root).text()

    assert epoch_in(name, talk.answering.name.dns) is None
    for signing_name in (f"{talk.answering.name.dns}/journal", name):
        line = note.sign_note(text, signing_name, talk.answering.signer)
        with pytest.raises(Unauthentic):
            read(talk, signed_anew(talk, checkpoint=note.format_note(note.Note(text=text, signatures=(line,)))))


def test_a_name_of_another_log_names_no_epoch():
    for name in ("", "2", "/journal/2", "n1.qn.example/journal/+2", "n1.qn.example/journal/2 ", "n1.qm.example/journal"):
        assert epoch_in(name, "n1.qn.example") is None


def test_a_leaf_belongs_to_the_epoch_in_which_it_was_appended():
    epochs = (Epoch(number=1, first=0), Epoch(number=NOW, first=7), Epoch(number=NOW - 5, first=9))

    assert [epoch_of(epochs, index) for index in (0, 6, 7, 8, 9, 50)] == [1, 1, NOW, NOW, NOW - 5, NOW - 5]
    assert epoch_of((Epoch(number=1, first=0), Epoch(number=NOW, first=0)), 0) == NOW


def test_a_record_that_begins_an_epoch_says_what_was_put_back_and_no_other_does():
    restoration = Restoration(number=NOW, size=3, taken=NOW - 60)
    begun = JournalRecord(
        kind=JournalKind.EPOCH, at=NOW, message_id=NO_MESSAGE, peer=QM, digest=bytes(32), restoration=restoration
    )

    assert decode_record(encode_record(begun)) == begun
    for changes in (
        {"restoration": None},
        {"kind": JournalKind.SENT},
        {"message_id": MessageId(b"m" * 16)},
        {"restoration": replace(restoration, number=1)},
        {"restoration": replace(restoration, number=limits.TIME_S_MAX + 1)},
        {"restoration": replace(restoration, taken=limits.TIME_S_MAX + 1)},
    ):
        with pytest.raises(Malformed):
            decode_record(encode_record(replace(begun, **changes)))
