"""The directory in a proof file, after everything that can become of keys: what it still shows, and what cannot be hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest

from federation import limits
from federation.boundary.directory import bare_checkpoint
from federation.boundary.proof import ProofReport, check_proof
from federation.boundary.proof_directory import PartFinder, whole
from federation.errors import Malformed, PeerMisbehaviour, Unauthentic
from federation.evidence.bundle import LoggedEntry, Proof
from federation.identity import PartyId
from federation.trust.entries import EntryKind, MandateScope, RevokedKind
from federation.trust.roster import Roster
from federation.wire.directory import decode_signed_entry
from federation.wire.evidence import encode_proof
from tests.support import acts
from tests.support.acts import log
from tests.support.crossing import Conversation
from tests.support.treaty import DAY, NOW, PartyMaterial, Treaty

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")
CODES = ("qm", "qn", "qo")


class Case:
    """Two Parties that have spoken, and what became of their directory since."""

    def __init__(self) -> None:
        self.treaty = Treaty.make(seed=51, first_witnesses=CODES)
        for code in CODES:
            self.treaty.admit(code)
        self.talk = Conversation(self.treaty, self.party(QM), self.party(QN))
        self.first_log_key = self.treaty.genesis.log_key

    def party(self, party: PartyId) -> PartyMaterial:
        return self.treaty.parties[party]

    def renew(self, material: PartyMaterial) -> None:
        """What the Party holds from now on; its journal is signed with its newest key."""
        self.treaty.parties[material.party] = material
        if material.party == QM:
            self.talk.asking = material
        if material.party == QN:
            self.talk.answering = material
        if material.party in self.talk.journals:
            self.talk.journals[material.party].owner = material

    def finder(self) -> PartFinder:
        found = PartFinder(self.treaty.log[0])
        for leaf in self.treaty.log[1:]:
            found.offer(leaf)
        return found

    def part(self) -> tuple[int, ...] | None:
        return self.finder().part(self.treaty.roster, {QM, QN})

    def proof(self, *, complete: bool = False) -> Proof:
        """What the asking side exports, of the log as it is now."""
        entries = whole(self.treaty.log) if complete else self.entries(self.part() or ())
        return self.talk.proof(self.talk.asking, entries=entries)

    def entries(self, indexes: tuple[int, ...]) -> tuple[LoggedEntry, ...]:
        return tuple(
            LoggedEntry(index=index, leaf=self.treaty.log[index], inclusion=self.treaty.inclusion(index)) for index in indexes
        )

    def check(self, proof: Proof, **changes: bytes) -> ProofReport:
        known = {"log_key": self.first_log_key, "genesis_digest": self.treaty.genesis_digest}
        return check_proof(encode_proof(proof), **(known | changes))


def founders_changed(case: Case) -> None:
    """And a Party was admitted by the new ones, which is not in the proof; one of the proof's has a new node."""
    new = [acts.signer(case.treaty, "one"), acts.signer(case.treaty, "two")]
    log(case.treaty, acts.hand_over(case.treaty, new))
    log(case.treaty, acts.admission(case.treaty, case.treaty.material("qx")).by(*new, case.treaty.material("qx").key))


def log_key_rotated(case: Case) -> None:
    new = acts.signer(case.treaty, "log")
    log(case.treaty, acts.rotate_log(case.treaty, new))
    case.treaty.log_signer = new
    case.treaty.admit("qx")


def issuer_rotated(case: Case) -> None:
    issuer = acts.next_issuer(case.treaty)
    log(case.treaty, acts.rotate_issuer(case.treaty, issuer, retire=True))
    case.treaty.issuer = issuer
    case.treaty.admit("qx")


def party_keys_rotated(case: Case) -> None:
    for party in (QM, QN):
        new = acts.rotated(case.treaty, case.party(party))
        log(case.treaty, acts.rotate(case.treaty, new))
        case.renew(new)
        signing_key_rotated(case, party)


def signing_key_rotated(case: Case, party: PartyId = QM) -> None:
    new = replace(case.party(party), signer=acts.signer(case.treaty, f"signing {party}"))
    log(case.treaty, acts.node(case.treaty, new))
    case.renew(new)


def ca_added(case: Case) -> None:
    log(case.treaty, acts.ca(case.treaty, acts.with_ca(case.treaty, case.party(QM))))


def ca_revoked(case: Case) -> None:
    ca_added(case)
    log(case.treaty, acts.revoke(case.treaty, case.party(QM), RevokedKind.PARTY_CA))


def many_cas(case: Case) -> None:
    """More than stand at a time, over the years; the former ones have come to their end."""
    for number in range(1, 6):
        log(case.treaty, acts.witnessed(case.treaty, [case.party(PartyId(code)) for code in CODES], at=case.treaty.now))
        log(case.treaty, acts.ca(case.treaty, acts.with_ca(case.treaty, case.party(QM), f"ca {number}"), serial=number))
        case.treaty.now += limits.PARTY_CA_LIFE_S
    assert not case.treaty.roster.alarms


def party_withdrew(case: Case) -> None:
    log(case.treaty, acts.withdraw(case.treaty, case.party(QN)))


def party_came_back(case: Case) -> None:
    party_withdrew(case)
    case.treaty.now += DAY
    back = replace(case.treaty, seed=52).material("qn")
    log(case.treaty, acts.admission(case.treaty, back), acts.node(case.treaty, back))
    case.renew(back)


def administered(case: Case) -> None:
    """The node that stands was written by a region."""
    qm, qo = case.party(QM), case.party(QO)
    new_region = acts.rotated(case.treaty, qo)
    log(case.treaty, acts.rotate(case.treaty, new_region))
    log(case.treaty, acts.mandate(case.treaty, region=new_region, member=qm, scope=MandateScope.ADMINISTER))
    hosted = replace(qm, signer=acts.signer(case.treaty, "hosted"))
    log(case.treaty, acts.node(case.treaty, hosted).by(new_region.key))
    case.renew(hosted)


def rubbish_logged(case: Case) -> None:
    """What was refused stands in the log; a proof leaves it out."""
    case.treaty.append(b"rubbish")
    log(case.treaty, acts.node(case.treaty, case.party(QN), serial=9).by(case.party(QM).key))


def founders_decided(case: Case) -> None:
    log(case.treaty, acts.suspend(case.treaty, QN))
    log(case.treaty, acts.reinstate(case.treaty, QN))
    log(case.treaty, acts.policy(case.treaty))
    log(case.treaty, acts.duty(case.treaty, QO, on=False))
    log(case.treaty, acts.confirm(case.treaty, by=case.party(QO), subject=case.party(QN)))


CHANGES: dict[str, Callable[[Case], None]] = {
    "nothing": lambda _: None,
    "founders changed": founders_changed,
    "log key rotated": log_key_rotated,
    "issuer rotated": issuer_rotated,
    "Party keys rotated": party_keys_rotated,
    "signing key rotated": signing_key_rotated,
    "CA added": ca_added,
    "CA revoked": ca_revoked,
    "many CAs": many_cas,
    "Party withdrew": party_withdrew,
    "Party came back": party_came_back,
    "region administers": administered,
    "rubbish in the log": rubbish_logged,
    "founders decided": founders_decided,
}
every_change = pytest.mark.parametrize("change", CHANGES)


def changed(change: str) -> Case:
    case = Case()
    CHANGES[change](case)
    return case


@every_change
@pytest.mark.parametrize("complete", [False, True], ids=["a part", "the whole"])
def test_what_was_said_before_is_still_proven(change, complete):
    case = changed(change)

    report = case.check(case.proof(complete=complete))

    assert [one.content is not None and one.receipt is not None for one in report.crossings] == [True, True]
    assert report.crossings[0].content.officer.name == case.talk.asking.officer.name
    assert (report.quorum is not None) == complete
    assert report.directory_size == case.treaty.tree.size


@pytest.mark.parametrize("change", sorted(CHANGES.keys() - {"Party withdrew", "many CAs"}))
def test_what_is_said_afterwards_is_proven_too(change):
    """By Parties that still speak, with officers whose certificates have not ended."""
    case = changed(change)
    case.talk = Conversation(case.treaty, case.party(QM), case.party(QN))

    for complete in (False, True):
        assert len(case.check(case.proof(complete=complete)).crossings) == 2


def test_a_part_is_small():
    case = changed("founders decided")

    assert case.part() == (0, 1, 2, 3, 4)


# --- the log key that the reader names ---


def test_the_reader_may_name_the_first_log_key_or_a_later_one():
    case = changed("log key rotated")
    proof = case.proof()

    assert case.check(proof)
    assert case.check(proof, log_key=case.treaty.log_signer.public_key)
    with pytest.raises(Unauthentic, match="log key you named"):
        case.check(proof, log_key=acts.signer(case.treaty, "stranger").public_key)


def test_a_former_log_key_signs_no_larger_directory_in_a_proof():
    case = changed("log key rotated")
    former = Case().treaty.log_signer
    hidden = case.proof()
    forged = replace(hidden, directory_checkpoint=replace(case.treaty, log_signer=former).checkpoint())

    with pytest.raises(Unauthentic, match="no known key"):
        case.check(forged)
    rotation = next(one for one in hidden.entries if decode_signed_entry(one.leaf).kind is EntryKind.ROTATE_LOG)
    with pytest.raises(Unauthentic, match="no known key"):
        case.check(replace(hidden, entries=tuple(one for one in hidden.entries if one != rotation)))


# --- recovery ---


def recovered(case: Case) -> None:
    lost = case.party(QN)
    new = acts.recovered(case.treaty, lost)
    log(case.treaty, acts.recover(case.treaty, new))
    witnesses = [case.party(PartyId(code)) for code in CODES]
    for at in (NOW, NOW + 14 * DAY):
        log(case.treaty, acts.witnessed(case.treaty, witnesses, at=at))
    log(case.treaty, acts.node(case.treaty, new))
    case.renew(new)


def test_a_recovery_is_shown_by_the_whole_directory_alone():
    """Whether it took effect depends on the time, on a veto, on who outvoted it: on entries that a part has not got."""
    case = Case()
    recovered(case)

    assert case.part() is None
    report = case.check(case.proof(complete=True))
    assert report.crossings[1].revoked == ("the key with which one.qn.nodes.gsp.example signed",)
    assert report.crossings[0].revoked == ("the key with which one.qn.nodes.gsp.example signed the receipt",)


def test_a_recovery_that_was_vetoed_does_not_matter():
    case = Case()
    index = log(case.treaty, acts.recover(case.treaty, acts.recovered(case.treaty, case.party(QN))))
    log(case.treaty, acts.veto(case.treaty, case.party(QN), index))

    assert case.part() is not None
    assert case.check(case.proof())


def test_a_part_cannot_make_a_recovery_take_effect():
    case = Case()
    recovered(case)
    everything = tuple(range(case.treaty.tree.size))

    with pytest.raises(Unauthentic, match="breaks its author rule"):
        case.check(replace(case.proof(), entries=case.entries(everything)))


# --- what was revoked ---


def test_a_revoked_key_is_told():
    case = Case()
    log(case.treaty, acts.revoke(case.treaty, case.party(QN), RevokedKind.SIGNING_KEY))

    for complete in (False, True):
        query, answer = case.check(case.proof(complete=complete)).crossings
        assert query.revoked == ("the key with which one.qn.nodes.gsp.example signed the receipt",)
        assert answer.revoked == ("the key with which one.qn.nodes.gsp.example signed",)


def test_the_revoked_ca_of_an_officer_is_told():
    case = changed("CA revoked")

    assert case.check(case.proof()).crossings[0].revoked == ("the CA of the officer's certificate",)
    assert case.check(changed("CA added").proof()).crossings[0].revoked == ()


def test_in_a_whole_directory_nothing_can_be_hidden():
    """The maker of the proof would like to leave the revocation out; every entry but the last is needed to reach the root."""
    case = Case()
    revocation = log(case.treaty, acts.revoke(case.treaty, case.party(QN), RevokedKind.SIGNING_KEY))
    case.treaty.admit("qx")
    honest = case.proof(complete=True)

    hidden = tuple(one for one in honest.entries if one.index != revocation)
    with pytest.raises(PeerMisbehaviour):
        case.check(replace(honest, entries=hidden))
    renumbered = tuple(replace(one, index=index) for index, one in enumerate(hidden))
    with pytest.raises(PeerMisbehaviour):
        case.check(replace(honest, entries=renumbered))


def test_a_part_says_that_it_is_one_because_a_revocation_can_be_left_out_of_it():
    """The limit of a part, written down: the proof holds, and its report says that it is not the whole."""
    case = Case()
    revocation = log(case.treaty, acts.revoke(case.treaty, case.party(QN), RevokedKind.SIGNING_KEY))
    honest = case.proof()

    report = case.check(replace(honest, entries=tuple(one for one in honest.entries if one.index != revocation)))

    assert report.quorum is None
    assert report.crossings[1].revoked == ()


def test_a_whole_directory_in_another_order_is_none():
    case = Case()
    honest = case.proof(complete=True)
    first, second, *others = honest.entries

    for entries in ((second, first, *others), (first, replace(second, index=2), *others)):
        with pytest.raises(Malformed):
            case.check(replace(honest, entries=entries))


def test_a_whole_directory_shows_who_witnesses_it():
    case = Case()
    witnesses = [case.party(PartyId(code)) for code in CODES]
    replica = case.treaty.replica(witnesses=witnesses)
    checkpoint = bare_checkpoint(replica, cosigned_by=[one.name for one in witnesses])

    report = case.check(replace(case.proof(complete=True), directory_checkpoint=checkpoint))

    assert report.quorum is not None
    assert (report.quorum.witnesses, report.quorum.of, report.quorum.reached) == ((QM, QN, QO), 3, True)


def test_a_part_shows_the_keys_as_the_roster_has_them_or_is_none():
    """The finder compares the outcome with the truth, so that no rule of selection has to be trusted."""
    case = changed("Party keys rotated")
    finder, roster = case.finder(), case.treaty.roster
    lost: Roster = replace(roster, parties=MappingProxyType({**roster.parties, QM: replace(roster.party(QM), nodes=())}))

    assert finder.part(roster, {QM, QN}) is not None
    assert finder.part(lost, {QM, QN}) is None


def test_a_whole_directory_with_its_paths_is_whole_and_every_path_is_checked():
    """As version 0.1.0 reads them."""
    case = Case()
    proof = case.talk.proof(case.talk.asking, entries=case.entries(tuple(range(len(case.treaty.log)))))

    assert case.check(proof) == case.check(case.proof(complete=True))
    assert case.check(proof).quorum is not None
    *before, last = proof.entries
    for false in ((), last.inclusion[::-1], (bytes(32), *last.inclusion[1:])):
        with pytest.raises(Unauthentic, match="inclusion"):
            case.check(replace(proof, entries=(*before, replace(last, inclusion=false))))
