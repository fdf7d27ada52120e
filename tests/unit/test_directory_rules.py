"""Who may write what into the directory: every author rule kept, every one broken, and what an attacker would try."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.directory import compose_entry, fold, genesis_digest, join_signatures, open_genesis, sign_body
from federation.errors import Malformed, Unauthentic, UnknownParty
from federation.identity import NodeName, PartyId
from federation.trust.certificate import read_pinned_ca
from federation.trust.entries import EntryKind, Signature
from federation.trust.issuing import Authority, issue_party_ca, key_from_seed, make_issuing_ca, make_request, make_root
from federation.trust.issuing import root_key_from_seed as root_key
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import signing_key, standing_node
from federation.wire.directory import encode_entry_body
from tests.support.mutation import UNKNOWN_FIELD, varint
from tests.support.treaty import DAY, NOW, Treaty, entropy, secret

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")
LOW_ORDER = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
IDENTITY = b"\x01" + bytes(31)
OFF_THE_CURVE = b"\x02" + bytes(31)


@pytest.fixture
def treaty() -> Treaty:
    """Two Parties with nodes; qm has said something of itself."""
    made = Treaty.make(seed=3)
    qm = made.admit("qm")
    made.admit("qn")
    made.announce(qm, serial=5)
    return made


def refused(treaty: Treaty, leaf: bytes, words: str) -> None:
    """The leaf stands in the log, leaves one alarm with these words in it, and changes nothing."""
    before = treaty.replica()
    after = fold(before, leaf)

    (alarm,) = after.roster.alarms
    assert words in alarm.words
    assert alarm.index == before.roster.size == after.roster.size - 1
    assert replace(after.roster, size=before.roster.size, alarms=()) == before.roster
    assert after.frontier.size == before.frontier.size + 1


# --- what is accepted ---


def test_a_genesis_begins_an_empty_roster():
    treaty = Treaty.make()

    replica = treaty.replica()

    assert replica.genesis == treaty.genesis
    assert not replica.roster.parties
    assert replica.roster.size == 1
    assert replica.roster.anchors() == {None: (treaty.secretariat.ca.certificate,)}


def test_an_admission_by_founders_and_the_party_is_accepted_and_pins_its_ca(treaty):
    qo = treaty.admit("qo")

    roster = treaty.roster

    assert not roster.alarms
    assert roster.party(QO).admit == treaty.admission(qo)
    assert roster.party(QO).admit_index == 6
    assert roster.anchors()[QO] == (qo.ca.certificate,)


def test_more_founders_than_have_to_may_sign(treaty):
    qo = treaty.material("qo")
    treaty.enter(treaty.admission(qo), *treaty.founders, qo.key)

    assert QO in treaty.roster.parties


def test_a_party_without_a_node_is_a_party_and_has_no_node(treaty):
    treaty.admit("qo", with_node=False)

    with pytest.raises(UnknownParty, match="runs no node"):
        treaty.roster.node(QO)


def test_an_update_of_the_party_is_accepted_when_its_serial_grows(treaty):
    qm = treaty.parties[QM]

    assert treaty.roster.party(QM).update == treaty.update(qm, serial=5)
    treaty.announce(qm, serial=6, region=True)
    assert treaty.roster.party(QM).update == treaty.update(qm, serial=6, region=True)
    assert treaty.roster.party(QM).name == "Party QM"


def test_a_party_that_has_said_nothing_is_called_by_its_code(treaty):
    assert treaty.roster.party(QN).name == "QN"


def test_a_new_node_entry_takes_the_place_of_the_old_one_and_the_old_one_is_kept(treaty):
    qm = treaty.parties[QM]
    new = replace(qm, signer=SoftwareSigner(secret(3, "the next signing key")))
    treaty.enter(treaty.node_entry(new, serial=2), qm.key)

    record = treaty.roster.party(QM)

    assert [one.entry.signing_key for one in record.nodes] == [qm.signer.public_key, new.signer.public_key]
    assert [one.index for one in record.nodes] == [2, 6]
    assert signing_key(treaty.roster, qm.name) == new.signer.public_key


def test_a_node_entry_may_repeat_the_partys_own_signing_key(treaty):
    qm = treaty.parties[QM]
    moved = replace(qm, endpoint="elsewhere.example:443")
    treaty.enter(treaty.node_entry(moved, serial=2), qm.key)

    assert treaty.roster.node(QM).endpoint == "elsewhere.example:443"


def test_a_mandate_of_both_sides_lets_the_region_answer_until_it_ends(treaty):
    treaty.give_mandate(region=treaty.parties[QN], member=treaty.parties[QM], not_after=NOW + DAY)

    roster = treaty.roster

    assert roster.responder(QM, now=NOW) == QN
    assert roster.members_of(QN, now=NOW) == {QM}
    assert roster.responder(QM, now=NOW + DAY) == QM
    assert not roster.members_of(QN, now=NOW + DAY)


def test_a_newer_mandate_between_the_two_takes_the_place_of_the_older(treaty):
    two = {"region": treaty.parties[QN], "member": treaty.parties[QM]}
    treaty.give_mandate(**two, serial=1)
    treaty.give_mandate(**two, serial=2, not_after=NOW)

    assert len(treaty.roster.mandates) == 1
    assert treaty.roster.responder(QM, now=NOW) == QM


def test_of_two_regions_the_one_that_was_logged_last_answers(treaty):
    qo = treaty.admit("qo")
    treaty.give_mandate(region=treaty.parties[QN], member=treaty.parties[QM])
    treaty.give_mandate(region=qo, member=treaty.parties[QM])

    assert treaty.roster.responder(QM, now=NOW) == QO


def test_nobody_answers_for_a_party_whose_region_runs_no_node(treaty):
    qo = treaty.admit("qo", with_node=False)
    treaty.give_mandate(region=qo, member=treaty.parties[QM])

    assert treaty.roster.responder(QM, now=NOW) is None
    assert treaty.roster.responder(PartyId("qz"), now=NOW) is None


def test_the_roster_does_not_depend_on_how_the_log_was_read(treaty):
    whole, step = treaty.replica(), treaty.replica(1)
    for leaf in treaty.log[1:]:
        step = fold(step, leaf)

    assert step.roster == whole.roster
    assert step.frontier == whole.frontier


# --- admissions that are refused ---


def test_an_admission_without_founders_is_refused(treaty):
    qo = treaty.material("qo")

    refused(treaty, compose_entry(treaty.admission(qo), [qo.key]), "0 founders signed; 2 have to")


def test_an_admission_by_too_few_founders_is_refused(treaty):
    qo = treaty.material("qo")

    refused(treaty, compose_entry(treaty.admission(qo), [treaty.founders[0], qo.key]), "1 founders signed")


def test_a_founder_who_signs_twice_counts_for_nothing(treaty):
    qo = treaty.material("qo")
    signers = [treaty.founders[0], treaty.founders[0], qo.key]

    refused(treaty, compose_entry(treaty.admission(qo), signers), "is not in order")


def test_an_admission_without_the_partys_acceptance_is_refused(treaty):
    leaf = compose_entry(treaty.admission(treaty.material("qo")), treaty.founders)

    refused(treaty, leaf, "by founders and by those whom it is about")


def test_an_admission_that_somebody_else_signs_too_is_refused(treaty):
    qo = treaty.material("qo")
    signers = [*treaty.founders, qo.key, treaty.parties[QM].key]

    refused(treaty, compose_entry(treaty.admission(qo), signers), "by nobody else")


def test_the_secretariats_log_key_is_no_founder(treaty):
    qo = treaty.material("qo")
    signers = [treaty.founders[0], treaty.log_signer, qo.key]

    refused(treaty, compose_entry(treaty.admission(qo), signers), "by nobody else")


def test_a_party_is_not_admitted_a_second_time(treaty):
    again = replace(treaty.material("qm"), key=SoftwareSigner(secret(3, "another key of qm")))
    leaf = compose_entry(treaty.admission(again), [*treaty.founders, again.key])

    refused(treaty, leaf, "is a Party already")


@pytest.mark.parametrize("role", ["a Party", "a node", "a founder", "the log"])
def test_a_key_that_is_in_use_is_not_admitted_as_a_party_key(treaty, role):
    used = {
        "a Party": treaty.parties[QM].key,
        "a node": treaty.parties[QM].signer,
        "a founder": treaty.founders[2],
        "the log": treaty.log_signer,
    }[role]
    qo = replace(treaty.material("qo"), key=used)

    refused(treaty, compose_entry(treaty.admission(qo), [*treaty.founders[:2], used]), "serves for nothing else")


@pytest.mark.parametrize("key", [LOW_ORDER, IDENTITY, OFF_THE_CURVE], ids=["low order", "identity", "off the curve"])
def test_a_key_that_nobody_honest_has_is_not_admitted(treaty, key):
    """Under a key of low order, signatures verify that nobody made; so it must never get as far as being compared."""
    body = replace(treaty.admission(treaty.material("qo")), party_key=key)
    encoded = encode_entry_body(body)
    signatures = [sign_body(EntryKind.ADMIT, encoded, founder) for founder in treaty.founders]
    forged = Signature(public_key=key, signature=IDENTITY + bytes(32))

    refused(treaty, join_signatures(EntryKind.ADMIT, encoded, [*signatures, forged]), "not well formed")
    refused(treaty, join_signatures(EntryKind.ADMIT, encoded, signatures), "by founders and by those whom it is about")


def test_an_entry_with_one_false_signature_is_refused_whatever_the_others_are(treaty):
    qo = treaty.material("qo")
    encoded = encode_entry_body(treaty.admission(qo))
    signatures = [sign_body(EntryKind.ADMIT, encoded, signer) for signer in (*treaty.founders, qo.key)]
    signatures[0] = replace(signatures[0], signature=signatures[1].signature)

    refused(treaty, join_signatures(EntryKind.ADMIT, encoded, signatures), "does not verify")


def test_a_body_is_not_admitted_under_signatures_for_another_kind(treaty):
    qm = treaty.parties[QM]
    encoded = encode_entry_body(treaty.update(qm, serial=9))
    signature = sign_body(EntryKind.NODE, encoded, qm.key)

    refused(treaty, join_signatures(EntryKind.UPDATE, encoded, [signature]), "does not verify")


# --- Party CAs that are refused, although founders and Party signed ---


def admitted_with(treaty: Treaty, party_ca: bytes, *, issuing_ca: bytes | None = None, created: int = NOW) -> bytes:
    qo = treaty.material("qo")
    body = replace(treaty.admission(qo), party_ca=party_ca, issuing_ca=issuing_ca or treaty.issuer.certificate, created=created)
    return compose_entry(body, [*treaty.founders[:2], qo.key])


def test_a_ca_under_another_root_is_refused(treaty):
    other = Treaty.make(seed=4)
    qo = other.material("qo")

    refused(
        treaty,
        admitted_with(treaty, qo.ca.certificate, issuing_ca=other.issuer.certificate),
        "issuing CA that the directory lists",
    )


def test_the_ca_of_another_party_is_refused(treaty):
    refused(treaty, admitted_with(treaty, treaty.parties[QN].ca.certificate), "not a Party CA")


def test_a_ca_that_the_root_signed_without_an_issuing_ca_is_refused(treaty):
    refused(treaty, admitted_with(treaty, treaty.issuer.certificate), "not a Party CA")


def test_a_ca_that_was_not_yet_valid_when_the_entry_was_made_is_refused(treaty):
    leaf = admitted_with(treaty, treaty.material("qo").ca.certificate, created=NOW - DAY)

    refused(treaty, leaf, "valid from")


def test_bytes_that_are_no_certificate_are_refused(treaty):
    refused(treaty, admitted_with(treaty, b"\x30\x03\x02\x01\x00"), "not a certificate")


def test_a_rogue_ca_for_a_party_under_the_real_root_changes_nobodys_anchor(treaty):
    """Pitfall 1: whoever holds the root can make a CA in anybody's name; the log says which one counts."""
    rogue_key = key_from_seed(secret(9, "rogue"))
    second = make_issuing_ca(
        make_request(rogue_key), root=treaty.root, domain=treaty.domain, now=NOW, entropy=entropy(9, "rogue issuing")
    )
    rogue = issue_party_ca(
        make_request(rogue_key),
        party=QM,
        issuer=Authority(certificate=second, key=rogue_key),
        domain=treaty.domain,
        now=NOW,
        entropy=entropy(9, "rogue ca"),
    )
    assert read_pinned_ca(rogue, party=QM, domain=treaty.domain).party == QM
    attacker = SoftwareSigner(secret(9, "attacker"))
    body = replace(treaty.admission(treaty.parties[QM]), party_ca=rogue, issuing_ca=second, party_key=attacker.public_key)

    refused(treaty, compose_entry(body, [attacker]), "0 founders")
    refused(treaty, compose_entry(body, [*treaty.founders, attacker]), "is a Party already")
    assert treaty.roster.anchors()[QM] == (treaty.parties[QM].ca.certificate,)


# --- what only the Party itself may say ---


@pytest.mark.parametrize("kind", ["update", "node"])
@pytest.mark.parametrize("signer", ["another Party", "founders", "the Party's node", "the Party and another"])
def test_what_a_party_says_of_itself_is_signed_by_its_key_alone(treaty, kind, signer):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    body = treaty.update(qm, serial=9) if kind == "update" else treaty.node_entry(qm, serial=9)
    signers = {
        "another Party": [qn.key],
        "founders": treaty.founders,
        "the Party's node": [qm.signer],
        "the Party and another": [qm.key, qn.key],
    }[signer]

    refused(treaty, compose_entry(body, signers), "only the Party's own key")


@pytest.mark.parametrize("serial", [0, 4, 5])
def test_an_update_whose_serial_does_not_grow_is_refused(treaty, serial):
    qm = treaty.parties[QM]

    refused(treaty, compose_entry(treaty.update(qm, serial=serial), [qm.key]), "serial of an update has to grow")


@pytest.mark.parametrize("serial", [0, 1])
def test_a_node_entry_whose_serial_does_not_grow_is_refused(treaty, serial):
    qm = treaty.parties[QM]

    refused(treaty, compose_entry(treaty.node_entry(qm, serial=serial), [qm.key]), "serial of a node entry has to grow")


@pytest.mark.parametrize("kind", ["update", "node"])
def test_an_entry_of_a_party_that_was_never_admitted_is_refused(treaty, kind):
    qo = treaty.material("qo")
    body = treaty.update(qo) if kind == "update" else treaty.node_entry(qo)

    refused(treaty, compose_entry(body, [qo.key]), "qo is no Party")


def test_a_node_in_another_domain_is_refused(treaty):
    qm = treaty.parties[QM]
    body = replace(treaty.node_entry(qm, serial=2), node=NodeName(party=QM, node_id="one", domain="other.example"))

    refused(treaty, compose_entry(body, [qm.key]), "the treaty's domain")


@pytest.mark.parametrize("role", ["another node", "its own Party", "another Party", "a founder", "the log"])
def test_a_signing_key_that_is_in_use_is_refused(treaty, role):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    used = {
        "another node": qn.signer,
        "its own Party": qm.key,
        "another Party": qn.key,
        "a founder": treaty.founders[0],
        "the log": treaty.log_signer,
    }[role]
    body = replace(treaty.node_entry(qm, serial=2), signing_key=used.public_key)

    refused(treaty, compose_entry(body, [qm.key]), "serves for nothing else")


def test_a_signing_key_that_another_party_gave_up_is_refused(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    new = replace(qn, signer=SoftwareSigner(secret(3, "the next key of qn")))
    treaty.enter(treaty.node_entry(new, serial=2), qn.key)
    body = replace(treaty.node_entry(qm, serial=2), signing_key=qn.signer.public_key)

    refused(treaty, compose_entry(body, [qm.key]), "serves for nothing else")


@pytest.mark.parametrize("key", [LOW_ORDER, IDENTITY, OFF_THE_CURVE], ids=["low order", "identity", "off the curve"])
def test_a_signing_key_that_nobody_honest_has_is_refused(treaty, key):
    qm = treaty.parties[QM]
    body = replace(treaty.node_entry(qm, serial=2), signing_key=key)

    refused(treaty, compose_entry(body, [qm.key]), "no honest signer has")


@pytest.mark.parametrize("signer", ["the region", "the member", "founders", "both and another"])
def test_a_mandate_is_signed_by_both_sides_and_nobody_else(treaty, signer):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    qo = treaty.admit("qo")
    signers = {
        "the region": [qn.key],
        "the member": [qm.key],
        "founders": treaty.founders,
        "both and another": [qm.key, qn.key, qo.key],
    }[signer]

    refused(treaty, compose_entry(treaty.mandate(region="qn", member="qm"), signers), "by the region and by the member")


@pytest.mark.parametrize("serial", [2, 3])
def test_a_mandate_whose_serial_does_not_grow_is_refused(treaty, serial):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    treaty.give_mandate(region=qn, member=qm, serial=3)
    body = treaty.mandate(region="qn", member="qm", serial=serial)

    refused(treaty, compose_entry(body, [qm.key, qn.key]), "serial of a mandate has to grow")


def test_a_mandate_of_somebody_who_is_no_party_is_refused(treaty):
    qm, qo = treaty.parties[QM], treaty.material("qo")

    refused(treaty, compose_entry(treaty.mandate(region="qo", member="qm"), [qm.key, qo.key]), "qo is no Party")


# --- entries that cannot be read ---


def test_an_entry_of_an_unknown_kind_leaves_an_alarm_and_nothing_else(treaty):
    known = compose_entry(treaty.update(treaty.parties[QM], serial=9), [treaty.parties[QM].key])

    refused(treaty, b"\x08\x63" + known[2:], "99 is no EntryKind that this version knows")


def test_an_unknown_field_beside_the_body_is_refused(treaty):
    qm = treaty.parties[QM]
    leaf = compose_entry(treaty.update(qm, serial=9), [qm.key])

    refused(treaty, leaf + varint(UNKNOWN_FIELD << 3) + b"\x01", "unknown field")


def test_an_unknown_field_in_a_signed_body_is_refused(treaty):
    """A later reader might give it a meaning; today's signers never saw one (pitfall 7)."""
    qm = treaty.parties[QM]
    body = encode_entry_body(treaty.update(qm, serial=9)) + varint(UNKNOWN_FIELD << 3) + b"\x01"
    signature = sign_body(EntryKind.UPDATE, body, qm.key)

    refused(treaty, join_signatures(EntryKind.UPDATE, body, [signature]), "unknown field")


def test_bytes_that_are_no_entry_leave_an_alarm(treaty):
    refused(treaty, b"rubbish", "these bytes are no SignedEntry")


def test_a_second_genesis_is_refused(treaty):
    leaf = compose_entry(treaty.genesis, [*treaty.founders, treaty.log_signer])

    refused(treaty, leaf, "a directory has one genesis")


def test_the_directory_holds_a_bounded_number_of_parties(treaty, monkeypatch):
    monkeypatch.setattr(limits, "PARTIES_MAX", 2)
    qo = treaty.material("qo")

    refused(treaty, compose_entry(treaty.admission(qo), [*treaty.founders, qo.key]), "as many Parties as it can")


def test_after_a_refused_entry_the_log_goes_on(treaty):
    treaty.append(b"rubbish")
    treaty.admit("qo")

    roster = treaty.roster

    assert [alarm.index for alarm in roster.alarms] == [6]
    assert QO in roster.parties
    assert roster.size == 9


# --- the genesis ---


def opened(genesis, *signers):
    leaf = compose_entry(genesis, signers)
    return open_genesis(leaf, genesis_digest(leaf))


def test_a_genesis_with_another_digest_is_another_directory(treaty):
    with pytest.raises(Unauthentic, match="not the directory whose genesis digest is configured"):
        open_genesis(treaty.log[0], genesis_digest(Treaty.make(seed=4).log[0]))


@pytest.mark.parametrize("missing", range(4))
def test_a_genesis_lacks_no_signature(treaty, missing):
    signers = [*treaty.founders, treaty.log_signer]
    del signers[missing]

    with pytest.raises(Unauthentic, match="not signed by all founders and the log key"):
        opened(treaty.genesis, *signers)


def test_a_genesis_that_a_stranger_signed_too_is_refused(treaty):
    with pytest.raises(Unauthentic, match="not signed by all founders"):
        opened(treaty.genesis, *treaty.founders, treaty.log_signer, SoftwareSigner(bytes(32)))


def test_the_log_key_is_no_founders_key(treaty):
    genesis = replace(treaty.genesis, log_key=treaty.founders[0].public_key)

    with pytest.raises(Malformed, match="serves for nothing else"):
        opened(genesis, *treaty.founders)


def test_a_founders_key_of_low_order_is_refused(treaty):
    genesis = replace(treaty.genesis, founders=tuple(sorted([LOW_ORDER, *treaty.genesis.founders[:2]])))

    with pytest.raises(Unauthentic, match="no honest signer has"):
        opened(genesis, *treaty.founders, treaty.log_signer)


@pytest.mark.parametrize("threshold", [0, 4])
def test_a_threshold_that_nobody_or_not_even_all_can_meet_is_refused(treaty, threshold):
    with pytest.raises(Malformed, match="threshold"):
        opened(replace(treaty.genesis, founders_threshold=threshold), *treaty.founders, treaty.log_signer)


def test_founders_stand_in_order_and_once(treaty):
    for founders in (treaty.genesis.founders[::-1], treaty.genesis.founders[:1] * 3):
        with pytest.raises(Malformed, match="founders is not in order"):
            opened(replace(treaty.genesis, founders=founders), *treaty.founders, treaty.log_signer)


def test_a_genesis_whose_secretariat_is_under_another_root_is_refused(treaty):
    key = root_key(secret(5, "another root"))
    other = make_root(key=key, now=NOW, entropy=entropy(5, "another root"))

    with pytest.raises(Unauthentic, match="issuing CA of the treaty"):
        opened(replace(treaty.genesis, root_certificate=other), *treaty.founders, treaty.log_signer)


def test_another_entry_is_no_genesis(treaty):
    with pytest.raises(Malformed, match="is its genesis"):
        open_genesis(treaty.log[1], genesis_digest(treaty.log[1]))


# --- names ---


def test_only_the_listed_node_of_a_party_signs(treaty):
    qm = treaty.parties[QM]

    assert standing_node(treaty.roster, qm.name) == treaty.node_entry(qm)
    for name in (replace(qm.name, node_id="two"), replace(qm.name, party=None), replace(qm.name, party=QO)):
        with pytest.raises(UnknownParty):
            signing_key(treaty.roster, name)
