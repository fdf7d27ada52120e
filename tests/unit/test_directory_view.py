"""The directory as people look at it: a log verified from nothing, and what it says of each Party, now and before."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from federation.boundary.directory import compose_entry
from federation.errors import FederationError, Malformed, NotFound, Unauthentic
from federation.identity import PartyId
from federation.trust.entries import (
    Administrator,
    AdministratorKind,
    Authority,
    AuthorityKind,
    Confirm,
    Contact,
    Duty,
    EntryKind,
    MandateScope,
    Rotate,
    Suspend,
    Witnessed,
)
from federation.trust.fingerprint import fingerprint
from federation.trust.keys import SoftwareSigner
from federation.trust.log_copy import LogCopy
from federation.trust.roster import Status
from federation.wire.directory import decode_signed_entry
from node.use_cases import directory_view as views
from node.use_cases.verified_log import DirectoryView, Role, root_at, verify_copy
from tests.support.treaty import DAY, NOW, Treaty, secret

QM, QN, QR = PartyId("qm"), PartyId("qn"), PartyId("qr")
NEW_DESK = Contact(name="New desk", address="new@qm.example")
FORMER = Contact(name="Focal point", address="focal-point@qm.example")


def copy_of(treaty: Treaty, note: bytes | None = None) -> LogCopy:
    return LogCopy(checkpoint=note or treaty.checkpoint(), leaves=tuple(treaty.log))


def view_of(treaty: Treaty, note: bytes | None = None) -> DirectoryView:
    return verify_copy(copy_of(treaty, note), genesis_digest=treaty.genesis_digest)


@pytest.fixture
def treaty() -> Treaty:
    """Two Parties and a region, a changed contact point, a mandate, and an entry that nobody accepts."""
    made = Treaty.make(seed=92)
    for party in ("qm", "qn"):
        made.announce(made.admit(party))
    made.announce(made.admit("qr", with_node=True), region=True)
    return made


def changed(treaty: Treaty, party: PartyId, serial: int, **changes: object) -> int:
    material = treaty.parties[party]
    return treaty.enter(replace(treaty.update(material, serial=serial), **changes), material.key)


# --- verified from nothing -------------------------------------------------------------------------------------------------


def test_a_whole_log_is_verified_and_every_entry_says_who_signed_it(treaty):
    view = view_of(treaty)

    assert [one.kind for one in view.entries[:4]] == [EntryKind.GENESIS, EntryKind.ADMIT, EntryKind.NODE, EntryKind.UPDATE]
    assert not any(one.refused for one in view.entries)
    assert sorted(one.role for one in view.entries[1].authors) == [Role.FOUNDER, Role.FOUNDER, Role.PARTY]
    assert {one.party for one in view.entries[3].authors} == {QM}
    assert view.entries[3].parties == (QM,)
    assert view.root == treaty.tree.frontier.root()
    assert view.log_key == treaty.log_signer.public_key
    assert view.time is None


@pytest.mark.parametrize("changed_leaf", range(4))
def test_a_changed_leaf_is_found(treaty, changed_leaf):
    leaves = list(treaty.log)
    leaves[changed_leaf] = bytes([*leaves[changed_leaf][:-1], leaves[changed_leaf][-1] ^ 1])

    with pytest.raises(FederationError):
        verify_copy(LogCopy(checkpoint=treaty.checkpoint(), leaves=tuple(leaves)), genesis_digest=treaty.genesis_digest)


def test_a_leaf_left_out_exchanged_or_added_is_found(treaty):
    log = tuple(treaty.log)
    for leaves in (log[:-1], (*log[:2], log[3], log[2], *log[4:]), (*log, log[-1])):
        with pytest.raises((Unauthentic, Malformed)):
            verify_copy(LogCopy(checkpoint=treaty.checkpoint(), leaves=leaves), genesis_digest=treaty.genesis_digest)


def test_another_directory_and_another_log_key_are_refused(treaty):
    other = Treaty.make(seed=93)
    with pytest.raises(Unauthentic, match="genesis digest"):
        verify_copy(copy_of(other), genesis_digest=treaty.genesis_digest)
    with pytest.raises(Unauthentic, match="log key that you named"):
        verify_copy(copy_of(treaty), genesis_digest=treaty.genesis_digest, log_key=other.log_signer.public_key)
    with pytest.raises(Unauthentic):
        verify_copy(copy_of(treaty, other.checkpoint()), genesis_digest=treaty.genesis_digest)
    verify_copy(copy_of(treaty), genesis_digest=treaty.genesis_digest, log_key=treaty.log_signer.public_key)


def test_an_entry_that_breaks_its_rule_is_shown_with_the_reason_and_changes_nothing(treaty):
    forged = replace(treaty.update(treaty.parties[QM], serial=9), display_name="Not Mirandia")
    index = treaty.enter(forged, treaty.parties[QN].key)
    garbage = treaty.append(b"\xff no entry")

    view = view_of(treaty)

    assert "own key" in view.entries[index].refused
    assert view.entries[index].authors[0].party == QN
    assert (view.entries[garbage].kind, view.entries[garbage].body) == (None, None)
    assert view.entries[garbage].refused
    assert view.roster.party(QM).name != "Not Mirandia"


def test_a_key_that_nobody_knows_is_called_so(treaty):
    stranger = SoftwareSigner(secret(1, "stranger"))
    treaty.append(compose_entry(treaty.update(treaty.parties[QM], serial=9), [stranger]))

    (author,) = view_of(treaty).entries[-1].authors
    assert (author.role, author.party, author.public_key) == (Role.UNKNOWN, None, stranger.public_key)


def test_the_next_party_key_is_named_when_it_takes_over(treaty):
    material = treaty.parties[QM]
    following = SoftwareSigner(secret(1, "following"))
    treaty.enter(
        Rotate(
            created=NOW,
            party=QM,
            party_key=material.next_key.public_key,
            next_key_hash=hashlib.sha256(following.public_key).digest(),
        ),
        material.next_key,
    )

    entry = view_of(treaty).entries[-1]
    assert not entry.refused
    assert [(one.role, one.party) for one in entry.authors] == [(Role.NEXT, QM)]


def test_the_root_of_an_older_print_is_found_again(treaty):
    older = view_of(treaty)
    changed(treaty, QM, 2, display_name="Later")

    assert root_at(view_of(treaty), len(older.entries)) == older.root
    with pytest.raises(NotFound):
        root_at(older, len(older.entries) + 1)


# --- Parties ---------------------------------------------------------------------------------------------------------------


def party_of(treaty: Treaty, party: PartyId) -> views.PartyView:
    return next(one for one in views.party_views(view_of(treaty), now=NOW) if one.party == party)


def test_a_party_is_shown_with_everything_that_stands(treaty):
    treaty.enter(
        replace(
            treaty.mandate(region="qr", member="qm"),
            scope=MandateScope.BOTH,
        ),
        treaty.parties[QR].key,
        treaty.parties[QM].key,
    )
    treaty.enter(
        Confirm(created=NOW, party=QN, subject=QM, admit_digest=treaty.roster.party(QM).admit_digest), treaty.parties[QN].key
    )
    shown = party_of(treaty, QM)

    assert (shown.record.status, shown.answered_by, shown.confirmed) == (Status.ACTIVE, QR, True)
    assert [(one.region, one.scope) for one in shown.mandates] == [(QR, MandateScope.BOTH)]
    assert shown.record.confirmed_by == {QN}
    assert shown.fingerprint == fingerprint(decode_signed_entry(treaty.log[shown.record.admit_index]).body)
    assert [one.party for one in views.party_views(view_of(treaty), now=NOW)] == [QM, QN, QR]
    assert views.party_views(view_of(treaty), now=NOW + 400 * DAY)[0].mandates == ()


def test_a_suspended_party_says_why(treaty):
    treaty.enter(Suspend(created=NOW, serial=1, party=QM, reason="no contribution"), *treaty.founders[:2])

    shown = party_of(treaty, QM)
    assert (shown.record.status, shown.record.suspended, shown.answered_by) == (Status.SUSPENDED, "no contribution", None)


def test_every_former_contact_point_is_shown_with_its_time(treaty):
    first = next(one.index for one in view_of(treaty).entries if one.kind is EntryKind.UPDATE)
    second = changed(treaty, QM, 2, created=NOW + DAY, contacts=(NEW_DESK,))
    changed(treaty, QM, 3, created=NOW + 2 * DAY, contacts=(NEW_DESK,), display_name="M")
    third = changed(treaty, QM, 4, created=NOW + 3 * DAY, contacts=(FORMER, NEW_DESK))

    found = views.spans(view_of(treaty), QM, lambda update: update.contacts)

    assert [(one.value, one.since, one.until, one.first, one.last) for one in found] == [
        (FORMER, NOW, NOW + DAY, first, second),
        (NEW_DESK, NOW + DAY, None, second, None),
        (FORMER, NOW + 3 * DAY, None, third, None),
    ]


def test_an_update_that_was_refused_is_no_history(treaty):
    treaty.enter(
        replace(treaty.update(treaty.parties[QM], serial=2), contacts=(NEW_DESK,), created=NOW + DAY), treaty.parties[QN].key
    )
    changed(treaty, QM, 1, contacts=(NEW_DESK,))

    assert [one.value for one in views.spans(view_of(treaty), QM, lambda update: update.contacts)] == [FORMER]


def test_administrators_have_a_history_too(treaty):
    one = Administrator(kind=AdministratorKind.REGIONAL, name="Union", address="it@qr.example")
    changed(treaty, QM, 2, administrators=(one,))
    changed(treaty, QM, 3, created=NOW + DAY, administrators=())

    (span,) = views.spans(view_of(treaty), QM, lambda update: update.administrators)
    assert (span.value, span.until) == (one, NOW + DAY)


def test_the_list_of_authorities_has_all_parties_and_can_be_cut_to_one_kind(treaty):
    changed(
        treaty,
        QN,
        2,
        authorities=(Authority(kind=AuthorityKind.POLICE, name="Police"), Authority(kind=AuthorityKind.CUSTOMS, name="Customs")),
    )
    view = view_of(treaty)

    assert [(one.party, one.authority.name) for one in views.authorities(view)] == [
        (QM, "Customs of QM"),
        (QN, "Police"),
        (QN, "Customs"),
        (QR, "Customs of QR"),
    ]
    assert {one.authority.kind for one in views.authorities(view, AuthorityKind.CUSTOMS)} == {AuthorityKind.CUSTOMS}
    assert views.authorities(view, AuthorityKind.JUSTICE) == ()


def test_entries_are_chosen_by_number_party_and_kind(treaty):
    view = view_of(treaty)

    assert [one.index for one in views.entries_of(view, start=4)] == list(range(4, len(treaty.log)))
    assert {QM} == {party for one in views.entries_of(view, party=QM) for party in one.parties}
    assert [one.parties for one in views.entries_of(view, kind=EntryKind.UPDATE)] == [(QM,), (QN,), (QR,)]


# --- witnesses -------------------------------------------------------------------------------------------------------------


def test_a_witness_counts_after_its_waiting_time_and_its_cosignature_is_shown():
    treaty = with_first_witness()
    treaty.admit("qn")
    treaty.enter(Duty(created=NOW, serial=1, party=QN, on=True), *treaty.founders[:2])
    first, waiting = views.witness_lines(view_of(treaty))
    assert first.counts
    assert (waiting.counts, waiting.counts_from, waiting.cosigned_at) == (False, None, None)

    seen = treaty.replica(witnesses=[treaty.parties[QM]]).note
    treaty.enter(Witnessed(created=NOW, checkpoint=seen), treaty.log_signer)
    view = view_of(treaty, treaty.replica(witnesses=list(treaty.parties.values())).note)
    first, waiting = views.witness_lines(view)
    assert (waiting.counts, waiting.counts_from, waiting.cosigned_at) == (False, NOW + 7 * DAY, NOW)
    assert (view.quorum.of, view.quorum.witnesses) == (1, (QM,))  # the other one is on duty, and its time has not come


def test_witnesses_of_the_first_entry_count_at_once_and_tell_the_time():
    treaty = with_first_witness()
    material = treaty.parties[QM]
    bare, cosigned = view_of(treaty), view_of(treaty, treaty.replica(witnesses=[material]).note)

    assert (bare.quorum.of, bare.quorum.reached, bare.time) == (1, False, None)
    assert (cosigned.quorum.reached, cosigned.time) == (True, NOW)
    assert views.party_views(cosigned, now=NOW)[0].cosigned

    treaty.enter(Witnessed(created=NOW, checkpoint=treaty.replica(witnesses=[material]).note), treaty.log_signer)
    later = view_of(treaty)
    assert not later.roster.alarms
    assert later.time == NOW
    assert [one.kind for one in views.entries_of(later, kind=EntryKind.WITNESSED)] == [EntryKind.WITNESSED]


def with_first_witness() -> Treaty:
    """A treaty whose first entry names a witness."""
    treaty = Treaty.make(seed=94)
    treaty.genesis = replace(treaty.genesis, first_witnesses=(QM,))
    treaty.log.clear()
    treaty.tree = type(treaty.tree)()
    treaty.enter(treaty.genesis, *treaty.founders, treaty.log_signer)
    treaty.announce(treaty.admit("qm"))
    return treaty
