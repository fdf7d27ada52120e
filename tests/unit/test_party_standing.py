"""A Party through its life in the log: changes of keys, mandates, suspension, withdrawal, return. What does not come back with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.boundary.directory import fold, read_checkpoint
from federation.errors import Forbidden, Unauthentic, UnknownParty
from federation.identity import PartyId
from federation.trust.entries import MandateScope, RevokedKind
from federation.trust.roster import Status
from federation.trust.witness import counting_witnesses
from tests.support import acts
from tests.support.acts import Act, log
from tests.support.treaty import DAY, NOW, PartyMaterial, Treaty

CODES = ("qm", "qn", "qo", "qp")
QM, QN, QO, QP = (PartyId(code) for code in CODES)


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=41, first_witnesses=CODES)
    for code in CODES:
        made.admit(code)
    return made


def alarm(treaty: Treaty, act: Act) -> str:
    """The act is refused, and changes nothing but for the alarm."""
    before = treaty.replica()
    after = fold(before, act.leaf).roster
    assert replace(after, size=before.roster.size, alarms=before.roster.alarms) == before.roster
    return after.alarms[-1].words


def tell(treaty: Treaty, at: int) -> None:
    log(treaty, acts.witnessed(treaty, [treaty.parties[one] for one in (QN, QO, QP)], at=at))


def returned(treaty: Treaty, material: PartyMaterial) -> PartyMaterial:
    """The same Party with everything new, as it would be admitted again."""
    other = Treaty.make(seed=42, now=treaty.now).material(material.party)
    stream = replace(treaty, seed=43)
    made = stream.material(material.party)
    return replace(made, key=other.key, next_key=other.next_key, signer=other.signer)


# --- CAs ---


def test_a_further_ca_stands_beside_the_first_until_that_is_revoked(treaty):
    qm = treaty.parties[QM]
    new = acts.with_ca(treaty, qm)
    log(treaty, acts.ca(treaty, new))
    assert treaty.roster.anchors()[QM] == (qm.ca.certificate, new.ca.certificate)
    log(treaty, acts.revoke(treaty, qm, RevokedKind.PARTY_CA))

    assert treaty.roster.anchors()[QM] == (new.ca.certificate,)
    log(treaty, acts.revoke(treaty, new, RevokedKind.PARTY_CA))
    assert QM not in treaty.roster.anchors()
    treaty.now += DAY
    assert "new CA has a new key" in alarm(treaty, acts.ca(treaty, acts.with_ca(treaty, qm), serial=2))


def test_few_cas_stand_at_a_time_whatever_time_an_entry_says(treaty):
    qm = treaty.parties[QM]
    for number in range(1, limits.CAS_PER_PARTY_MAX):
        log(treaty, acts.ca(treaty, acts.with_ca(treaty, qm, f"ca {number}"), serial=number))
    one_more = acts.ca(treaty, acts.with_ca(treaty, qm, "one more"), serial=9)

    assert "3 CAs of this Party stand already" in alarm(treaty, one_more)
    treaty.now = NOW + limits.PARTY_CA_LIFE_S + DAY
    later = acts.ca(treaty, acts.with_ca(treaty, qm, "later"), serial=9)
    assert "3 CAs of this Party stand already" in alarm(treaty, later)
    tell(treaty, treaty.now)
    log(treaty, later)
    assert len(treaty.roster.anchors()[QM]) == 4


def test_the_ca_of_another_party_is_nobodys_further_ca(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]

    assert "not a Party CA" in alarm(treaty, acts.ca(treaty, replace(qm, ca=acts.with_ca(treaty, qn).ca)))


def test_a_ca_that_the_secretariat_issued_is_no_further_ca(treaty):
    """Only admission goes through the treaty root; afterwards nobody but the Party makes CAs for it."""
    made = replace(treaty, seed=44).material("qm")

    assert "not a Party CA" in alarm(treaty, acts.ca(treaty, replace(treaty.parties[QM], ca=made.ca)))


# --- mandates ---


def test_a_region_that_administers_writes_what_the_member_says_of_itself(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    log(treaty, acts.mandate(treaty, region=qn, member=qm, scope=MandateScope.ADMINISTER))
    log(treaty, acts.update(treaty, qm).by(qn.key))
    log(treaty, acts.node(treaty, replace(qm, signer=acts.signer(treaty, "hosted"))).by(qn.key))

    roster = treaty.roster
    assert not roster.alarms
    assert roster.responder(QM, now=NOW) == QM
    for act in (
        acts.ca(treaty, acts.with_ca(treaty, qm)),
        acts.withdraw(treaty, qm),
        acts.rotate(treaty, acts.rotated(treaty, qm)),
    ):
        alarm(treaty, act.by(qn.key))
    assert "only the Party's own key" in alarm(treaty, acts.update(treaty, qm, serial=2).by(qn.key, qm.key))


def test_a_region_whose_mandate_has_ended_does_not_date_its_entries_back(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    mandate = acts.mandate(treaty, region=qn, member=qm)
    log(treaty, replace(mandate, body=replace(mandate.body, not_after=NOW + DAY)))
    backdated = acts.update(treaty, qm).by(qn.key)
    tell(treaty, NOW + DAY)

    assert "only the Party's own key" in alarm(treaty, backdated)


@pytest.mark.parametrize("by", [QM, QN])
def test_either_side_ends_a_mandate_and_it_does_not_come_back(treaty, by):
    mandate = acts.mandate(treaty, region=treaty.parties[QN], member=treaty.parties[QM], serial=5)
    log(treaty, mandate)
    ending = acts.end_mandate(treaty, treaty.parties[by], mandate.body)
    log(treaty, ending)

    roster = treaty.roster
    assert not roster.mandates
    assert "has to grow" in alarm(treaty, mandate)
    assert fold(treaty.replica(), ending.leaf).roster == replace(roster, size=roster.size + 1)


def test_a_mandate_that_was_signed_and_never_logged_can_be_ended_too(treaty):
    held_back = acts.mandate(treaty, region=treaty.parties[QN], member=treaty.parties[QM], serial=5)
    log(treaty, acts.end_mandate(treaty, treaty.parties[QM], held_back.body))

    assert "has to grow" in alarm(treaty, held_back)


def test_nobody_ends_the_mandate_of_others(treaty):
    mandate = acts.mandate(treaty, region=treaty.parties[QN], member=treaty.parties[QM])
    log(treaty, mandate)
    ending = acts.end_mandate(treaty, treaty.parties[QO], mandate.body)

    assert "by its region or its member" in alarm(treaty, ending)
    odd = replace(ending.body, id=b"\xffqqm" + bytes(8))
    assert "two lower-case letters" in alarm(treaty, replace(ending, body=odd))
    far = replace(ending.body, party=QM, id=b"qnqm" + b"\xff" * 8)
    assert "has to grow" in alarm(treaty, replace(ending, body=far).by(treaty.parties[QM].key))


def test_nobody_answers_for_a_party_that_is_suspended(treaty):
    log(treaty, acts.mandate(treaty, region=treaty.parties[QN], member=treaty.parties[QM]))
    assert treaty.roster.responder(QM, now=NOW) == QN
    log(treaty, acts.suspend(treaty, QM))

    assert treaty.roster.responder(QM, now=NOW) is None
    assert not treaty.roster.members_of(QN, now=NOW)


def test_a_region_that_is_suspended_answers_and_administers_for_nobody(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    log(treaty, acts.mandate(treaty, region=qn, member=qm), acts.suspend(treaty, QN))

    assert treaty.roster.responder(QM, now=NOW) == QM
    assert "only the Party's own key" in alarm(treaty, acts.update(treaty, qm).by(qn.key))
    log(treaty, acts.reinstate(treaty, QN))
    assert treaty.roster.responder(QM, now=NOW) == QN


# --- suspension ---


def test_a_suspended_party_exchanges_nothing_and_still_writes_its_own_entries(treaty):
    qm = treaty.parties[QM]
    log(treaty, acts.suspend(treaty, QM))
    log(treaty, acts.update(treaty, qm))

    roster = treaty.roster
    assert roster.party(QM).status is Status.SUSPENDED
    assert not roster.alarms
    assert roster.anchors()[QM] == (qm.ca.certificate,)
    with pytest.raises(Forbidden, match="is suspended"):
        roster.node(QM)
    assert "confirms nobody" in alarm(treaty, acts.confirm(treaty, by=qm, subject=treaty.parties[QN]))
    log(treaty, acts.reinstate(treaty, QM))
    assert treaty.roster.party(QM).status is Status.ACTIVE
    assert "is not suspended" in alarm(treaty, acts.reinstate(treaty, QM))


# --- confirmations ---


def test_a_party_is_confirmed_when_enough_others_that_stand_have_said_so(treaty):
    qm, qn, qo = (treaty.parties[one] for one in (QM, QN, QO))
    log(treaty, acts.policy(treaty, confirmations=2))
    log(treaty, acts.confirm(treaty, by=qn, subject=qm), acts.confirm(treaty, by=qn, subject=qm))
    assert not treaty.roster.is_confirmed(QM)
    log(treaty, acts.confirm(treaty, by=qo, subject=qm))
    assert treaty.roster.is_confirmed(QM)
    log(treaty, acts.suspend(treaty, QO))
    assert not treaty.roster.is_confirmed(QM)


# --- withdrawal and return ---


def test_a_party_that_has_left_is_nothing_to_anybody_any_more(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    log(treaty, acts.mandate(treaty, region=qm, member=qn), acts.confirm(treaty, by=qm, subject=qn))
    log(treaty, acts.recover(treaty, acts.recovered(treaty, qm)), acts.withdraw(treaty, qm))

    roster = treaty.roster
    assert roster.party(QM).status is Status.WITHDRAWN
    assert QM not in roster.anchors()
    assert QM not in counting_witnesses(roster)
    assert not roster.mandates
    assert not roster.recoveries
    assert not roster.party(QN).confirmed_by
    with pytest.raises(UnknownParty, match="has withdrawn"):
        roster.node(QM)
    for act in (acts.update(treaty, qm), acts.node(treaty, qm), acts.rotate(treaty, acts.rotated(treaty, qm))):
        assert "has withdrawn" in alarm(treaty, act)
    assert "has withdrawn" in alarm(treaty, acts.suspend(treaty, QM))


def test_a_party_comes_back_with_new_keys_and_nothing_else(treaty):
    qm, qn = treaty.parties[QM], treaty.parties[QN]
    mandate = acts.mandate(treaty, region=qm, member=qn)
    confirmation = acts.confirm(treaty, by=qn, subject=qm)
    log(treaty, mandate, confirmation, acts.withdraw(treaty, qm))
    treaty.now += DAY
    new = returned(treaty, qm)
    log(treaty, acts.admission(treaty, new))

    roster = treaty.roster
    assert not roster.alarms
    assert roster.party(QM).status is Status.ACTIVE
    assert roster.anchors()[QM] == (new.ca.certificate,)
    assert roster.party(QM).node is None
    assert QM not in roster.duties
    assert not roster.mandates
    assert not roster.party(QM).confirmed_by
    for act in (mandate, confirmation, acts.node(treaty, qm), acts.update(treaty, qm, serial=9), acts.withdraw(treaty, qm)):
        alarm(treaty, act)
    assert "was revoked" in alarm(treaty, acts.node(treaty, replace(new, signer=qm.signer)))
    log(treaty, acts.node(treaty, new))
    assert treaty.roster.node(QM).signing_key == new.signer.public_key


@pytest.mark.parametrize("kept", ["key", "ca", "the next key that was never used"])
def test_a_party_does_not_come_back_with_a_key_of_before(treaty, kept):
    qm = treaty.parties[QM]
    log(treaty, acts.withdraw(treaty, qm))
    treaty.now += DAY
    new = returned(treaty, qm)
    new = {
        "key": replace(new, key=qm.key),
        "ca": replace(new, ca=qm.ca),
        "the next key that was never used": replace(new, key=qm.next_key),
    }[kept]

    alarm(treaty, acts.admission(treaty, new))


def test_an_admission_that_was_signed_before_a_party_left_is_not_kept_for_later(treaty):
    """Founders sign two admissions, one is logged; the Secretariat keeps the other for a day when it suits it."""
    qm = treaty.parties[QM]
    held_back = acts.admission(treaty, returned(treaty, qm))
    log(treaty, acts.withdraw(treaty, qm))
    assert "before the Party left" in alarm(treaty, held_back)

    other = Treaty.make(seed=41, first_witnesses=CODES)
    for code in CODES:
        other.admit(code)
    other.now += DAY
    held_back = acts.admission(other, returned(other, qm))
    tell(other, NOW + 2 * DAY)
    log(other, acts.withdraw(other, qm))
    assert "before the Party left" in alarm(other, held_back)


def test_a_withdrawal_is_of_one_admission(treaty):
    qm = treaty.parties[QM]
    act = acts.withdraw(treaty, qm)

    assert "about the admission that stands" in alarm(treaty, replace(act, body=replace(act.body, admit_digest=bytes(32))))


# --- what founders hand over ---


def test_after_founders_handed_over_the_former_ones_decide_nothing(treaty):
    new = [acts.signer(treaty, "one"), acts.signer(treaty, "two"), acts.signer(treaty, "three")]
    log(treaty, acts.hand_over(treaty, new))

    assert "by founders" in alarm(treaty, acts.suspend(treaty, QM))
    log(treaty, acts.suspend(treaty, QM).by(*new[:2]))
    assert treaty.roster.party(QM).suspended is not None
    assert "1 founders signed" in alarm(treaty, acts.reinstate(treaty, QM).by(new[0]))
    back = acts.hand_over(treaty, treaty.founders).by(*new, *treaty.founders)
    assert "serves for nothing else" in alarm(treaty, back)


def test_a_new_founder_proves_to_hold_the_key(treaty):
    new = [acts.signer(treaty, "one"), acts.signer(treaty, "two")]
    act = acts.hand_over(treaty, new)

    assert "by every new founder" in alarm(treaty, act.by(*treaty.founders[:2], new[0]))
    assert "1 founders signed" in alarm(treaty, act.by(treaty.founders[0], *new))


def test_a_founder_may_stay_while_another_goes(treaty):
    log(treaty, acts.hand_over(treaty, [treaty.founders[0], treaty.founders[1], acts.signer(treaty, "one")]))
    log(treaty, acts.suspend(treaty, QM))

    assert not treaty.roster.alarms
    assert treaty.roster.party(QM).suspended is not None


# --- the log key and the issuing CA ---


def test_a_log_key_that_was_given_up_signs_what_is_under_way_and_nothing_larger(treaty):
    old, new = treaty.log_signer, acts.signer(treaty, "log")
    before = treaty.checkpoint()
    log(treaty, acts.rotate_log(treaty, new))
    size, under_way = treaty.tree.size, treaty.checkpoint()
    treaty.log_signer = new
    by_new = treaty.checkpoint()
    treaty.append(b"whatever")
    roster = treaty.roster

    for raw in (before, under_way, by_new, treaty.checkpoint()):
        read_checkpoint(roster, raw)
    for signer, at in ((old, size + 1), (new, size - 1)):
        treaty.log_signer = signer
        with pytest.raises(Unauthentic, match="no known key"):
            read_checkpoint(roster, treaty.checkpoint(at))


def test_after_the_log_key_changed_the_former_one_tells_no_time_and_recovers_nobody(treaty):
    old, new = treaty.log_signer, acts.signer(treaty, "log")
    log(treaty, acts.rotate_log(treaty, new))
    witnesses = [treaty.parties[one] for one in (QN, QO, QP)]

    assert "the Secretariat's log key writes" in alarm(treaty, acts.witnessed(treaty, witnesses, at=NOW))
    assert "by nobody else" in alarm(treaty, acts.recover(treaty, acts.recovered(treaty, treaty.parties[QM])))
    assert old is treaty.log_signer
    treaty.log_signer = new
    log(treaty, acts.witnessed(treaty, witnesses, at=NOW))
    assert treaty.roster.witnessed_at == NOW


def test_the_former_issuing_ca_admits_until_it_is_retired(treaty):
    issuer = acts.next_issuer(treaty)
    log(treaty, acts.rotate_issuer(treaty, issuer))
    by_old, by_new = treaty.material("qw"), replace(treaty, issuer=issuer).material("qx")

    assert treaty.roster.governance.issuing_cas == (treaty.issuer.certificate, issuer.certificate)
    assert not fold(treaty.replica(), acts.admission(treaty, by_old).leaf).roster.alarms
    log(treaty, acts.rotate_issuer(treaty, issuer, node_ca=acts.secretariat_ca(treaty, issuer), retire=True))
    assert "issuing CA that the directory lists" in alarm(treaty, acts.admission(treaty, by_old))
    log(replace(treaty, issuer=issuer), acts.admission(replace(treaty, issuer=issuer), by_new))
    assert not treaty.roster.alarms


def test_the_secretariats_former_ca_is_an_anchor_until_it_is_retired(treaty):
    issuer = acts.next_issuer(treaty)
    node_ca = acts.secretariat_ca(treaty, issuer)
    log(treaty, acts.rotate_issuer(treaty, issuer, node_ca=node_ca))
    assert treaty.roster.anchors()[None] == (treaty.secretariat.ca.certificate, node_ca)
    log(treaty, acts.rotate_issuer(treaty, issuer, retire=True))

    assert treaty.roster.anchors()[None] == (node_ca,)


def test_an_issuing_ca_under_another_root_admits_nobody(treaty):
    other = Treaty.make(seed=45)

    assert "issuing CA" in alarm(treaty, acts.rotate_issuer(treaty, other.issuer))


def test_issuing_cas_do_not_pile_up(treaty):
    for number in range(1, limits.ISSUERS_MAX):
        log(treaty, acts.rotate_issuer(treaty, acts.next_issuer(treaty, f"issuer {number}")))

    assert "retire the former ones" in alarm(treaty, acts.rotate_issuer(treaty, acts.next_issuer(treaty, "one more")))
