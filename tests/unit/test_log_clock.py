"""What waits in the log: recoveries, witnesses, and what becomes of them when somebody lies about the time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation.boundary.directory import Replica, accept, fold, require_quorum
from federation.errors import Unauthentic, UnknownParty
from federation.identity import PartyId
from federation.trust import note
from federation.trust.entries import RevokedKind, Witnessed
from federation.trust.note import Note
from federation.trust.witness import counting_witnesses, founder_name, quorum_of, weigh
from tests.support import acts
from tests.support.acts import Act, log
from tests.support.treaty import DAY, NOW, PartyMaterial, Treaty

CODES = ("qm", "qn", "qo", "qp")
QM, QN, QO, QP = (PartyId(code) for code in CODES)
WAIT = 14 * DAY


@pytest.fixture
def treaty() -> Treaty:
    """Four Parties whose nodes are witnesses from the beginning: three of them are enough."""
    made = Treaty.make(seed=31, first_witnesses=CODES)
    for code in CODES:
        made.admit(code)
    return made


def parties(treaty: Treaty) -> list[PartyMaterial]:
    return [treaty.parties[PartyId(code)] for code in CODES]


def tell(treaty: Treaty, at: int) -> int:
    """Log what three witnesses say of the time."""
    return log(treaty, acts.witnessed(treaty, parties(treaty)[1:], at=at))


def alarm(treaty: Treaty, act: Act) -> str:
    """The act is refused, and changes nothing but for the alarm."""
    before = treaty.replica()
    after = fold(before, act.leaf).roster
    assert replace(after, size=before.roster.size, alarms=before.roster.alarms) == before.roster
    return after.alarms[-1].words


def recovering(treaty: Treaty, *, ca: bool = False) -> tuple[int, PartyMaterial]:
    """A recovery of qm in the log, and what qm will be."""
    lost = treaty.parties[QM]
    new = acts.recovered(treaty, acts.with_ca(treaty, lost, "recovered") if ca else lost)
    return log(treaty, acts.recover(treaty, new, ca=ca)), new


# --- recovery ---


def test_a_recovery_takes_effect_when_it_has_been_seen_for_long_enough(treaty):
    _, new = recovering(treaty)
    tell(treaty, NOW)
    tell(treaty, NOW + WAIT - 1)
    assert treaty.roster.party(QM).party_key == treaty.parties[QM].key.public_key
    tell(treaty, NOW + WAIT)

    roster = treaty.roster

    assert not roster.alarms
    assert not roster.recoveries
    assert roster.party(QM).party_key == new.key.public_key
    with pytest.raises(UnknownParty, match="runs no node"):
        roster.node(QM)
    log(treaty, acts.node(treaty, new))
    assert treaty.roster.node(QM).signing_key == new.signer.public_key
    assert "only the Party's own key" in alarm(treaty, acts.update(treaty, treaty.parties[QM], serial=9))


def test_a_recovery_with_a_ca_ends_the_cas_before_it(treaty):
    _, new = recovering(treaty, ca=True)
    tell(treaty, NOW)
    tell(treaty, NOW + WAIT)

    assert treaty.roster.anchors()[QM] == (new.ca.certificate,)


def test_a_recovery_that_nobody_has_seen_takes_no_effect_however_long_ago_it_says_it_was_made(treaty):
    """Backdated recovery: the entry says that it is a year old."""
    treaty.now -= 300 * DAY
    lost = treaty.parties[QM]
    new = acts.recovered(treaty, lost)
    log(treaty, acts.recover(treaty, new))
    treaty.now += 300 * DAY
    tell(treaty, NOW)

    assert treaty.roster.party(QM).party_key == lost.key.public_key


def test_backdated_recovery_by_a_secretariat_that_holds_time_back(treaty):
    """It cannot use what witnesses said before: that was about a shorter log. And it cannot say the time itself."""
    before = acts.witnessed(treaty, parties(treaty), at=NOW - WAIT)
    recovering(treaty)

    assert "of this log, as it stands" in alarm(treaty, before)
    own = Witnessed(created=NOW - WAIT, checkpoint=treaty.checkpoint())
    assert "0 of 4 witnesses vouch for the time; 3 have to" in alarm(treaty, Act(body=own, signers=(treaty.log_signer,)))
    text = note.parse_note(treaty.checkpoint()).text
    lines = [note.cosign(text, one.name.dns, treaty.log_signer, NOW - WAIT) for one in parties(treaty)]
    forged = Witnessed(created=NOW, checkpoint=note.format_note(Note(text=text, signatures=tuple(lines))))
    assert "0 of 4" in alarm(treaty, Act(body=forged, signers=(treaty.log_signer,)))


def test_too_few_witnesses_tell_no_time(treaty):
    assert "2 of 4 witnesses vouch for the time; 3 have to" in alarm(treaty, acts.witnessed(treaty, parties(treaty)[:2], at=NOW))


@pytest.mark.parametrize("lie", [-300 * DAY, 300 * DAY])
def test_one_witness_that_lies_about_the_time_moves_it_by_nothing_that_matters(treaty, lie):
    liar, *honest = parties(treaty)
    checkpoint = acts.cosigned(treaty, [(liar, NOW + lie), *((one, NOW + number) for number, one in enumerate(honest))])
    log(treaty, Act(body=Witnessed(created=NOW, checkpoint=checkpoint), signers=(treaty.log_signer,)))

    assert NOW <= treaty.roster.witnessed_at <= NOW + 2


def test_time_in_the_log_does_not_run_backwards(treaty):
    tell(treaty, NOW)

    assert "does not run backwards" in alarm(treaty, acts.witnessed(treaty, parties(treaty), at=NOW - 1))


def test_founders_and_the_secretariat_cannot_shorten_the_wait(treaty):
    """They are those who write recoveries; the time that passes before one takes effect is there because of them."""
    recovering(treaty)

    for at in (NOW, NOW + WAIT):
        act = acts.witnessed(treaty, [], at=at, founders=treaty.founders)
        assert "0 of 4 witnesses vouch for the time" in alarm(treaty, act)
    log(treaty, acts.witnessed(treaty, parties(treaty)[1:], at=NOW, founders=treaty.founders))
    assert treaty.roster.witnessed_at == NOW


def test_a_node_takes_no_log_whose_clock_is_ahead_of_its_own(treaty):
    """Witnesses of the founders' making could say that fourteen days are over; honest nodes wait until they are."""
    accepted = treaty.replica()
    tell(treaty, NOW + WAIT)
    cosigned = acts.cosigned(treaty, [(one, NOW) for one in parties(treaty)])

    with pytest.raises(Unauthentic, match="1209600 s later than this node's clock"):
        accept(accepted, treaty.log[-1:], cosigned, now=NOW)
    assert accept(accepted, treaty.log[-1:], cosigned, now=NOW + WAIT)[0].roster.witnessed_at == NOW + WAIT


def test_the_next_key_vetoes_a_recovery(treaty):
    index, _ = recovering(treaty)
    tell(treaty, NOW)
    log(treaty, acts.veto(treaty, treaty.parties[QM], index))
    tell(treaty, NOW + 2 * WAIT)

    roster = treaty.roster

    assert roster.party(QM).party_key == treaty.parties[QM].key.public_key
    assert roster.recoveries[0].stopped


@pytest.mark.parametrize("author", ["the Party key", "the next key of another Party", "founders", "two"])
def test_nobody_else_vetoes_it(treaty, author):
    index, _ = recovering(treaty)
    qm = treaty.parties[QM]
    act = acts.veto(treaty, qm, index)
    signers = {
        "the Party key": [qm.key],
        "the next key of another Party": [treaty.parties[QN].next_key],
        "founders": treaty.founders,
        "two": [qm.next_key, qm.key],
    }[author]

    assert "by the key that was committed to" in alarm(treaty, act.by(*signers))


def test_a_veto_is_about_one_recovery_and_no_other(treaty):
    index, _ = recovering(treaty)
    qm = treaty.parties[QM]

    assert "no recovery of that Party waits under that number" in alarm(treaty, acts.veto(treaty, qm, index - 1))
    assert "no recovery" in alarm(treaty, acts.veto(treaty, replace(qm, party=QN, next_key=treaty.parties[QN].next_key), index))


def test_to_put_the_next_key_to_use_is_a_veto(treaty):
    """A rotation while a recovery waits: the Party has not lost its keys after all."""
    recovering(treaty)
    tell(treaty, NOW)
    new = acts.rotated(treaty, treaty.parties[QM])
    log(treaty, acts.rotate(treaty, new))
    tell(treaty, NOW + 2 * WAIT)

    assert treaty.roster.party(QM).party_key == new.key.public_key
    assert treaty.roster.recoveries[0].vetoed


def test_a_next_key_that_changed_meanwhile_vetoes_the_next_recovery(treaty):
    new = acts.rotated(treaty, treaty.parties[QM])
    log(treaty, acts.rotate(treaty, new))
    index, _ = recovering(treaty)

    assert "committed to" in alarm(treaty, acts.veto(treaty, treaty.parties[QM], index))
    log(treaty, acts.veto(treaty, new, index))
    assert treaty.roster.recoveries[0].vetoed


def test_two_thirds_of_the_other_parties_set_a_veto_aside(treaty):
    index, new = recovering(treaty)
    log(treaty, acts.veto(treaty, treaty.parties[QM], index))
    others = parties(treaty)[1:]

    assert "1 of 3 other Parties signed" in alarm(treaty, acts.override(treaty, QM, index, others[:1]))
    log(treaty, acts.override(treaty, QM, index, others[:2]))
    tell(treaty, NOW)
    tell(treaty, NOW + WAIT)
    assert treaty.roster.party(QM).party_key == new.key.public_key


def test_freshly_admitted_parties_outvote_nobody(treaty):
    """Founders could admit as many as they like; those who came after the recovery have no say about it."""
    index, _ = recovering(treaty)
    log(treaty, acts.veto(treaty, treaty.parties[QM], index))
    fresh = [treaty.admit(code) for code in ("qs", "qt", "qu", "qv", "qw", "qx")]

    assert "by the keys of other Parties" in alarm(treaty, acts.override(treaty, QM, index, fresh))
    assert "by the keys of other Parties" in alarm(treaty, acts.override(treaty, QM, index, [*fresh, *parties(treaty)[1:]]))
    assert "by the keys of other Parties" in alarm(treaty, acts.override(treaty, QM, index, parties(treaty)[:3]))


def test_nobody_at_all_is_no_two_thirds():
    """A Party alone in its treaty: none of no other Parties have signed."""
    treaty = Treaty.make(seed=32, first_witnesses=["qm"])
    qm = treaty.admit("qm")
    index = log(treaty, acts.recover(treaty, acts.recovered(treaty, qm)))
    log(treaty, acts.veto(treaty, qm, index))

    assert "0 of 0 other Parties signed" in alarm(treaty, acts.override(treaty, QM, index, []))


def test_a_newer_recovery_waits_anew(treaty):
    recovering(treaty)
    tell(treaty, NOW)
    later = acts.recovered(treaty, treaty.parties[QM], "later")
    log(treaty, acts.recover(treaty, later))
    tell(treaty, NOW + WAIT)

    assert [one.seen_at for one in treaty.roster.recoveries] == [NOW + WAIT]
    tell(treaty, NOW + 2 * WAIT)
    assert treaty.roster.party(QM).party_key == later.key.public_key


def test_the_same_keys_may_be_recovered_to_once_more_with_the_same_ca(treaty):
    _, new = recovering(treaty, ca=True)
    log(treaty, acts.recover(treaty, new, ca=True))

    assert not treaty.roster.alarms
    tell(treaty, NOW)
    tell(treaty, NOW + WAIT)
    assert treaty.roster.anchors()[QM] == (new.ca.certificate,)


def test_nothing_that_anybody_logs_meanwhile_stops_the_clock_when_a_recovery_takes_effect(treaty):
    """The old Party key puts up CAs and nodes of its own, and another Party lists the new key, which everybody can read."""
    _, new = recovering(treaty, ca=True)
    tell(treaty, NOW)
    qm, qn = treaty.parties[QM], treaty.parties[QN]

    assert "new CA has a new key" in alarm(treaty, acts.ca(treaty, replace(new, key=qm.key)))
    assert "serves for nothing else" in alarm(treaty, acts.node(treaty, replace(qn, signer=new.key)))
    log(treaty, acts.ca(treaty, acts.with_ca(treaty, qm)), acts.revoke(treaty, qm, RevokedKind.PARTY_CA))
    log(treaty, acts.revoke(treaty, qm, RevokedKind.PARTY_KEY))
    tell(treaty, NOW + WAIT)

    roster = treaty.roster
    assert not roster.alarms
    assert roster.party(QM).party_key == new.key.public_key
    assert roster.anchors()[QM] == (new.ca.certificate,)


def test_confirmations_of_the_lost_keys_do_not_hold_for_the_new_ones(treaty):
    before = acts.confirm(treaty, by=treaty.parties[QN], subject=treaty.parties[QM])
    log(treaty, before)
    assert treaty.roster.party(QM).confirmed_by == {QN}
    recovering(treaty)
    tell(treaty, NOW)
    tell(treaty, NOW + WAIT)

    assert not treaty.roster.party(QM).confirmed_by
    assert "about the admission that stands" in alarm(treaty, before)
    log(treaty, acts.confirm(treaty, by=treaty.parties[QN], subject=treaty.parties[QM]))
    assert treaty.roster.party(QM).confirmed_by == {QN}


def test_a_longer_wait_holds_for_a_recovery_that_waits_already(treaty):
    recovering(treaty)
    tell(treaty, NOW)
    log(treaty, acts.policy(treaty, recovery_wait_s=2 * WAIT))
    tell(treaty, NOW + WAIT)

    assert treaty.roster.recoveries
    assert "may not be shorter" in alarm(treaty, acts.policy(treaty, recovery_wait_s=WAIT - 1))


def test_after_the_party_key_was_revoked_only_the_next_one_or_a_recovery_goes_on(treaty):
    qm = treaty.parties[QM]
    log(treaty, acts.revoke(treaty, qm, RevokedKind.PARTY_KEY))

    for act in (acts.update(treaty, qm), acts.node(treaty, qm), acts.withdraw(treaty, qm)):
        assert "only the Party's own key" in alarm(treaty, act)
    new = acts.rotated(treaty, qm)
    assert "at most by the old one" in alarm(treaty, acts.rotate(treaty, new).by(qm.key, new.key))
    recovery = acts.recover(treaty, acts.recovered(treaty, qm))
    assert fold(treaty.replica(), recovery.leaf).roster.recoveries
    log(treaty, acts.rotate(treaty, new), acts.update(treaty, new))
    assert not treaty.roster.alarms


# --- witnesses ---


@pytest.mark.parametrize(
    ("witnesses", "needed"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (9, 7), (200, 134)]
)
def test_more_than_two_thirds_are_a_quorum_and_of_up_to_three_all(witnesses, needed):
    assert quorum_of(witnesses) == needed
    assert witnesses <= 3 or 3 * needed > 2 * witnesses >= 3 * (needed - 1)


def test_a_quorum_of_freshly_admitted_parties(treaty):
    """Founders and Secretariat put ten new Parties on duty, and show a checkpoint that only these have cosigned."""
    accepted = treaty.replica()
    tell(treaty, NOW)
    fresh = [treaty.admit(f"q{letter}") for letter in "abcdefghij"]
    log(treaty, *(acts.duty(treaty, one.party, serial=number) for number, one in enumerate(fresh, start=1)))
    checkpoint = acts.cosigned(treaty, [(one, NOW) for one in fresh])

    with pytest.raises(Unauthentic, match="0 of 4 witnesses cosigned"):
        accept(accepted, treaty.log[accepted.frontier.size :], checkpoint, now=NOW)
    assert set(counting_witnesses(treaty.roster)) == {QM, QN, QO, QP}
    tell(treaty, NOW + DAY)
    tell(treaty, NOW + 7 * DAY)
    assert set(counting_witnesses(treaty.roster)) == {QM, QN, QO, QP}
    tell(treaty, NOW + 8 * DAY)
    assert len(counting_witnesses(treaty.roster)) == 14


def test_where_nobody_counts_the_first_on_duty_counts_at_once_and_the_second_waits():
    treaty = Treaty.make(seed=33)
    qm, qn = treaty.admit("qm"), treaty.admit("qn")
    assert "0 of 0 witnesses vouch for the time; 1 have to" in alarm(treaty, acts.witnessed(treaty, [qm], at=NOW))
    log(treaty, acts.duty(treaty, QM))
    log(treaty, acts.duty(treaty, QN))

    assert set(counting_witnesses(treaty.roster)) == {QM}
    log(treaty, acts.witnessed(treaty, [qm], at=NOW))
    log(treaty, acts.witnessed(treaty, [qm], at=NOW + 7 * DAY))
    assert set(counting_witnesses(treaty.roster)) == {QM, QN}
    assert "1 of 2 witnesses vouch" in alarm(treaty, acts.witnessed(treaty, [qn], at=NOW + 8 * DAY))


def test_whoever_comes_off_duty_and_on_again_waits_again(treaty):
    log(treaty, acts.duty(treaty, QM, on=False))
    assert set(counting_witnesses(treaty.roster)) == {QN, QO, QP}
    log(treaty, acts.duty(treaty, QM))
    tell(treaty, NOW)
    assert QM not in counting_witnesses(treaty.roster)
    tell(treaty, NOW + 7 * DAY)
    assert QM in counting_witnesses(treaty.roster)
    assert "is on duty already" in alarm(treaty, acts.duty(treaty, QM))


def test_a_party_on_duty_counts_while_it_has_a_node_and_exchanges(treaty):
    treaty.admit("qx", with_node=False)
    log(treaty, acts.duty(treaty, PartyId("qx")), acts.suspend(treaty, QN, serial=2))
    log(treaty, acts.revoke(treaty, treaty.parties[QO], RevokedKind.SIGNING_KEY))

    assert set(counting_witnesses(treaty.roster)) == {QM, QP}


def test_founders_stand_in_for_a_quorum_that_is_lost(treaty):
    log(treaty, acts.duty(treaty, QM, on=False))
    few = acts.cosigned(treaty, [], founders=[(one, NOW) for one in treaty.founders[:1]])
    enough = acts.cosigned(treaty, [], founders=[(one, NOW) for one in treaty.founders[:2]])

    with pytest.raises(Unauthentic, match="0 of 3 witnesses cosigned"):
        require_quorum(treaty.roster, few)
    quorum = require_quorum(treaty.roster, enough)
    assert (quorum.by_founders, quorum.founders, quorum.tells_time, quorum.time) == (True, 2, False, None)


def test_founders_who_handed_over_stand_in_for_nobody(treaty):
    log(treaty, acts.hand_over(treaty, [acts.signer(treaty, "one"), acts.signer(treaty, "two")]))
    former = acts.cosigned(treaty, [], founders=[(one, NOW) for one in treaty.founders])

    assert not weigh(treaty.roster, note.parse_note(former)).reached


def test_a_witness_that_cosigns_as_a_founder_counts_as_neither(treaty):
    text = note.parse_note(treaty.checkpoint()).text
    lines = [note.cosign(text, founder_name(treaty.genesis), one.signer, NOW) for one in parties(treaty)]
    parsed = Note(text=text, signatures=tuple(lines))

    quorum = weigh(treaty.roster, parsed)

    assert (quorum.witnesses, quorum.founders, quorum.reached) == ((), 0, False)


# --- who was away ---


def follow(treaty: Treaty, old: Replica) -> Replica:
    cosigned = acts.cosigned(treaty, [(one, NOW) for one in parties(treaty)])
    return accept(old, treaty.log[old.frontier.size :], cosigned, now=NOW + 100 * DAY)[0]


def with_new_key(treaty: Treaty, one: PartyMaterial, serial: int) -> None:
    new = replace(one, signer=acts.signer(treaty, f"{serial} {one.party}"))
    log(treaty, acts.node(treaty, new, serial=serial))
    treaty.parties[one.party] = new


def test_witnesses_that_have_changed_their_keys_are_the_same_witnesses(treaty):
    away = treaty.replica()
    for one in parties(treaty):
        with_new_key(treaty, one, 2)

    assert follow(treaty, away).roster == treaty.roster


def test_a_witness_that_has_changed_its_key_counts_once(treaty):
    away, old = treaty.replica(), parties(treaty)[:2]
    for one in old:
        with_new_key(treaty, one, 2)
    both = acts.cosigned(treaty, [(one, NOW) for one in (*old, *parties(treaty)[:2])])

    with pytest.raises(Unauthentic, match="2 of 4 witnesses"):
        accept(away, treaty.log[away.frontier.size :], both, now=NOW)


def test_a_key_that_a_witness_has_revoked_counts_for_nothing(treaty):
    away, old = treaty.replica(), parties(treaty)
    for one in old[:2]:
        log(treaty, acts.revoke(treaty, one, RevokedKind.SIGNING_KEY))
    stolen = acts.cosigned(treaty, [(one, NOW) for one in old])

    with pytest.raises(Unauthentic, match="2 of 4 witnesses"):
        accept(away, treaty.log[away.frontier.size :], stolen, now=NOW)


def other_witnesses(treaty: Treaty) -> list[PartyMaterial]:
    """Four new Parties take over the duty after their waiting time, and nobody of the old ones has cosigned that."""
    fresh = [treaty.admit(code) for code in ("qs", "qt", "qu", "qv")]
    log(treaty, *(acts.duty(treaty, one.party, serial=number) for number, one in enumerate(fresh, start=1)))
    for day in (0, 7):
        log(treaty, acts.witnessed(treaty, parties(treaty), at=NOW + day * DAY))
    for number, one in enumerate(parties(treaty), start=5):
        log(treaty, acts.duty(treaty, one.party, on=False, serial=number))
    return fresh


def test_steps_in_the_log_lead_from_the_old_witnesses_to_others(treaty):
    away = treaty.replica()
    fresh = other_witnesses(treaty)
    cosigned = acts.cosigned(treaty, [(one, NOW) for one in fresh])
    newer = treaty.log[away.frontier.size :]

    with pytest.raises(Unauthentic, match="0 of 4 witnesses"):
        accept(away, newer, cosigned, now=NOW + 8 * DAY)
    log(treaty, acts.witnessed(treaty, fresh, at=NOW + 8 * DAY))
    late = acts.cosigned(treaty, [(one, NOW) for one in fresh])
    with pytest.raises(Unauthentic, match="0 of 4 witnesses"):
        accept(away, treaty.log[away.frontier.size :], late, now=NOW + 8 * DAY)


def test_one_step_in_which_old_and_new_witnesses_stand_together_is_enough(treaty):
    away = treaty.replica()
    fresh = other_witnesses(treaty)
    log(treaty, acts.witnessed(treaty, [*parties(treaty), *fresh], at=NOW + 8 * DAY))
    cosigned = acts.cosigned(treaty, [(one, NOW) for one in fresh])

    grown, quorum = accept(away, treaty.log[away.frontier.size :], cosigned, now=NOW + 9 * DAY)

    assert grown.roster == treaty.roster
    assert quorum.witnesses == tuple(sorted(one.party for one in fresh))


def test_a_new_node_follows_from_the_genesis(treaty):
    tell(treaty, NOW)

    assert follow(treaty, treaty.replica(1)).roster == treaty.roster
