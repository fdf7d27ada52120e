"""Checkpoints: which ones move a node forward, which cosignatures count, and what a liar on the way can do."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.directory import (
    add_cosignature,
    bare_checkpoint,
    cosign_checkpoint,
    cosigners,
    extend,
    read_checkpoint,
    sign_checkpoint,
)
from federation.errors import Malformed, Oversized, Unauthentic
from federation.identity import PartyId
from federation.trust import note
from federation.trust.keys import SoftwareSigner
from federation.trust.merkle import Frontier, leaf_hash
from federation.trust.note import Note, NoteSignature
from tests.support.treaty import NOW, Treaty, secret

QM, QN = PartyId("qm"), PartyId("qn")


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=11)
    made.admit("qm")
    made.admit("qn")
    return made


def signed_by(treaty: Treaty, signer: SoftwareSigner, origin: str | None = None) -> bytes:
    return sign_checkpoint(origin or treaty.genesis.origin, treaty.tree.frontier, signer)


def junk(name: str, size: int = 64) -> bytes:
    """A signature line that somebody added."""
    return f"\N{EM DASH} {name} {b64encode(bytes(4 + size)).decode()}\n".encode()


def frontier_of(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier, _ = frontier.append(leaf_hash(leaf))
    return frontier


# --- moving forward ---


def test_entries_that_lead_to_a_signed_checkpoint_are_accepted(treaty):
    grown = extend(treaty.replica(3), treaty.log[3:], treaty.checkpoint())

    assert grown == treaty.replica()
    assert set(grown.roster.parties) == {QM, QN}


def test_the_same_checkpoint_with_more_cosignatures_is_accepted(treaty):
    cosigned = treaty.replica(witnesses=treaty.parties.values())

    assert extend(treaty.replica(), [], cosigned.note) == cosigned


def test_a_checkpoint_of_another_key_is_refused(treaty):
    stranger = SoftwareSigner(secret(1, "stranger"))

    with pytest.raises(Unauthentic, match="no known key signed"):
        extend(treaty.replica(3), treaty.log[3:], signed_by(treaty, stranger))


def test_a_checkpoint_whose_signature_is_another_ones_is_refused(treaty):
    right, older = note.parse_note(treaty.checkpoint()), note.parse_note(treaty.checkpoint(3))
    mixed = note.format_note(Note(text=right.text, signatures=older.signatures))

    with pytest.raises(Unauthentic, match="false signature"):
        extend(treaty.replica(3), treaty.log[3:], mixed)


def test_a_checkpoint_of_another_log_under_the_same_key_is_refused(treaty):
    text = note.Checkpoint(origin="other.example", size=5, root=treaty.tree.root).text()
    line = note.sign_note(text, treaty.genesis.origin, treaty.log_signer)

    with pytest.raises(Unauthentic, match="about another log"):
        read_checkpoint(treaty.roster, note.format_note(Note(text=text, signatures=(line,))))


def test_a_rollback_is_refused(treaty):
    with pytest.raises(Malformed, match="do not lead up to"):
        extend(treaty.replica(), [], treaty.checkpoint(3))


def test_entries_that_stop_short_of_the_checkpoint_are_refused(treaty):
    with pytest.raises(Malformed, match="do not lead up to"):
        extend(treaty.replica(3), treaty.log[3:4], treaty.checkpoint())


def test_entries_that_go_beyond_the_checkpoint_are_refused(treaty):
    with pytest.raises(Malformed, match="do not lead up to"):
        extend(treaty.replica(3), treaty.log[3:], treaty.checkpoint(4))


@pytest.mark.parametrize("change", ["another entry", "other order", "a bit"])
def test_entries_that_are_not_those_of_the_checkpoint_are_refused(treaty, change):
    leaves = treaty.log[3:]
    if change == "another entry":
        leaves[-1] = treaty.log[2]
    elif change == "other order":
        leaves.reverse()
    else:
        leaves[0] = leaves[0][:-1] + bytes([leaves[0][-1] ^ 1])

    with pytest.raises(Unauthentic, match="does not follow from its entries") as refusal:
        extend(treaty.replica(3), leaves, treaty.checkpoint())
    assert "different directories to different Parties" in refusal.value.hint


def test_a_fork_is_refused_although_the_log_key_signed_it(treaty):
    """The Secretariat shows this node another past than before: same length, then longer."""
    fork = Treaty.make(seed=11)
    fork.admit("qm")
    fork.admit("qo")
    accepted = treaty.replica()
    assert fork.genesis_digest == treaty.genesis_digest

    with pytest.raises(Unauthentic, match="does not follow"):
        extend(accepted, [], fork.checkpoint())
    fork.admit("qp")
    with pytest.raises(Unauthentic, match="does not follow"):
        extend(accepted, fork.log[5:], fork.checkpoint())


def test_an_entry_of_more_than_the_permitted_size_stops_the_log(treaty):
    treaty.append(bytes(limits.ENTRY_BYTES_MAX + 1))

    with pytest.raises(Oversized, match="entry is too long"):
        extend(treaty.replica(5), treaty.log[5:], treaty.checkpoint())


@pytest.mark.parametrize("raw", [b"", b"rubbish", b"a\n\nb\n"])
def test_what_is_no_note_is_refused(treaty, raw):
    with pytest.raises(Malformed):
        extend(treaty.replica(), [], raw)


def test_a_checkpoint_that_is_too_long_is_refused(treaty):
    with pytest.raises(Oversized):
        extend(treaty.replica(), [], treaty.checkpoint() + junk("x.example", 50) * 2_000)


def test_what_was_accepted_is_not_changed_by_a_refusal(treaty):
    before = treaty.replica(3)
    with pytest.raises(Unauthentic):
        extend(before, treaty.log[3:][::-1], treaty.checkpoint())

    assert before == treaty.replica(3)


# --- witnesses ---


def test_cosignatures_of_the_nodes_in_the_directory_count(treaty):
    cosigned = treaty.replica(witnesses=treaty.parties.values())

    assert [(one.name, one.time) for one in cosigners(cosigned.roster, cosigned.note)] == [
        ("one.qm.nodes.gsp.example", NOW),
        ("one.qn.nodes.gsp.example", NOW),
    ]


def test_a_node_cosigns_once_the_newest_time_counts(treaty):
    qm = treaty.parties[QM]
    cosigned = treaty.replica(witnesses=[qm])
    later = cosign_checkpoint(cosigned, qm.signer, name=qm.name.dns, now=NOW + 60)

    again = replace(cosigned, note=add_cosignature(cosigned, cosigned.roster.node(QM), later))

    assert [one.time for one in cosigners(again.roster, again.note)] == [NOW + 60]


def test_a_cosignature_of_an_unlisted_node_counts_for_nothing(treaty):
    replica = treaty.replica()
    qo = treaty.material("qo")
    offered = cosign_checkpoint(replica, qo.signer, name=qo.name.dns, now=NOW)

    with pytest.raises(Unauthentic, match="did not cosign"):
        add_cosignature(replica, treaty.node_entry(treaty.parties[QM]), offered)
    added = replica.note + offered[offered.index("\N{EM DASH}".encode()) :]
    assert not cosigners(replica.roster, added)


def test_a_node_does_not_cosign_in_the_name_of_another(treaty):
    replica, (qm, qn) = treaty.replica(), treaty.parties.values()
    offered = cosign_checkpoint(replica, qn.signer, name=qm.name.dns, now=NOW)

    with pytest.raises(Unauthentic, match="did not cosign"):
        add_cosignature(replica, replica.roster.node(QM), offered)


def test_a_cosignature_for_another_checkpoint_is_refused(treaty):
    qm = treaty.parties[QM]
    older = treaty.replica(4)
    offered = cosign_checkpoint(older, qm.signer, name=qm.name.dns, now=NOW)

    with pytest.raises(Unauthentic, match="for another checkpoint"):
        add_cosignature(treaty.replica(), treaty.roster.node(QM), offered)


def test_a_cosignature_whose_text_was_swapped_is_refused(treaty):
    qm = treaty.parties[QM]
    older = note.parse_note(cosign_checkpoint(treaty.replica(4), qm.signer, name=qm.name.dns, now=NOW))
    text = note.parse_note(treaty.checkpoint()).text
    swapped = note.format_note(Note(text=text, signatures=older.signatures))

    with pytest.raises(Unauthentic, match="did not cosign"):
        add_cosignature(treaty.replica(), treaty.roster.node(QM), swapped)


def test_a_signature_without_a_time_is_no_cosignature(treaty):
    replica, qm = treaty.replica(), treaty.parties[QM]
    text = note.parse_note(replica.note).text
    plain = note.format_note(Note(text=text, signatures=(note.sign_note(text, qm.name.dns, qm.signer),)))

    with pytest.raises(Unauthentic, match="did not cosign"):
        add_cosignature(replica, replica.roster.node(QM), plain)


def test_of_a_note_with_true_and_made_up_lines_the_true_one_is_taken(treaty):
    replica, qm = treaty.replica(), treaty.parties[QM]
    offered = note.parse_note(cosign_checkpoint(replica, qm.signer, name=qm.name.dns, now=NOW))
    made_up = NoteSignature(name=qm.name.dns, key_id=b"made", blob=bytes(72))
    mixed = note.format_note(Note(text=offered.text, signatures=(made_up, *offered.signatures)))

    added = add_cosignature(replica, replica.roster.node(QM), mixed)

    assert note.parse_note(added).signatures == (*note.parse_note(replica.note).signatures, *offered.signatures)


def test_one_false_line_does_not_hide_the_true_ones(treaty):
    """Everybody who passes a checkpoint on can add lines to it."""
    cosigned = treaty.replica(witnesses=treaty.parties.values())
    parsed = note.parse_note(cosigned.note)
    log, first, second = parsed.signatures
    false = replace(first, blob=bytes(72))
    mixed = note.format_note(Note(text=parsed.text, signatures=(log, false, second)))

    assert [one.name for one in cosigners(cosigned.roster, mixed)] == [second.name]


def test_the_line_of_a_key_that_a_node_has_given_up_is_passed_over(treaty):
    qm = treaty.parties[QM]
    cosigned = treaty.replica(witnesses=[qm])
    new = replace(qm, signer=SoftwareSigner(secret(11, "next")))
    treaty.enter(treaty.node_entry(new, serial=2), qm.key)

    assert not cosigners(treaty.roster, cosigned.note)


# --- what every envelope carries ---


def test_an_envelopes_checkpoint_has_the_logs_signature_and_no_other(treaty):
    cosigned = treaty.replica(witnesses=treaty.parties.values())

    assert bare_checkpoint(cosigned) == treaty.checkpoint()
    assert bare_checkpoint(cosigned, cosigned_by=[treaty.parties[QM].name]) == treaty.replica(witnesses=[treaty.parties[QM]]).note


def test_lines_that_somebody_added_in_the_logs_name_do_not_get_into_envelopes(treaty):
    """A peer that serves the log could otherwise make every header of this node too long to be sent."""
    noisy = extend(treaty.replica(3), treaty.log[3:], treaty.checkpoint() + junk(treaty.genesis.origin, 200) * 300)

    assert bare_checkpoint(noisy) == treaty.checkpoint()
