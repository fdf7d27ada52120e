"""What `gsp doctor` says of the directory: each finding with what to do."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from federation.boundary.directory import Replica
from federation.identity import PartyId
from federation.trust.entries import Genesis, Recover, Suspend, TreatyPolicy, Veto, Witnessed
from federation.trust.keys import SoftwareSigner
from node.use_cases.announcing import NOTHING, Particulars
from node.use_cases.desk_values import Check, Health
from node.use_cases.directory_checks import directory_checks
from tests.support.treaty import DAY, NOW, Treaty, secret

QM, QN = PartyId("qm"), PartyId("qn")
NEW_KEY = SoftwareSigner(secret(1, "recovered"))


def treaty_of(**genesis: object) -> Treaty:
    """Two Parties under a first entry with these fields."""
    treaty = Treaty.make(seed=96)
    treaty.genesis = replace(treaty.genesis, **genesis)
    assert isinstance(treaty.genesis, Genesis)
    treaty.log.clear()
    treaty.tree = type(treaty.tree)()
    treaty.enter(treaty.genesis, *treaty.founders, treaty.log_signer)
    for party in ("qm", "qn"):
        treaty.announce(treaty.admit(party))
    return treaty


def checks(
    treaty: Treaty, *, own: PartyId = QM, says: Particulars | None = None, replica: Replica | None = None
) -> dict[str, Check]:
    found = directory_checks(replica or treaty.replica(), own, says, now=NOW)
    assert all(one.hint for one in found if one.health is not Health.GOOD)
    return {one.name: one for one in found}


def recovering(treaty: Treaty, party: PartyId) -> int:
    return treaty.enter(
        Recover(
            created=NOW,
            serial=1,
            party=party,
            party_key=NEW_KEY.public_key,
            next_key_hash=hashlib.sha256(b"after").digest(),
            party_ca=b"",
            reason="a fire in the ministry",
        ),
        *treaty.founders[:2],
        treaty.log_signer,
        NEW_KEY,
    )


def witnessed(treaty: Treaty) -> None:
    note = treaty.replica(witnesses=[treaty.parties[QM]]).note
    treaty.enter(Witnessed(created=NOW, checkpoint=note), treaty.log_signer)
    assert not treaty.roster.alarms


def test_without_witnesses_only_the_log_key_vouches():
    check = checks(treaty_of())["witnesses"]

    assert check.health is Health.WARNING
    assert "only the log key vouches" in check.words
    assert "founders" in check.hint


def test_a_quorum_under_the_newest_checkpoint_is_good_and_too_few_are_told():
    treaty = treaty_of(first_witnesses=(QM, QN))
    both = treaty.replica(witnesses=list(treaty.parties.values()))

    one = checks(treaty, replica=treaty.replica(witnesses=[treaty.parties[QM]]))["witnesses"]
    assert (one.health, one.words) == (Health.WARNING, "1 of 2 cosigned the newest checkpoint; 2 have to")
    assert checks(treaty, replica=both)["witnesses"].health is Health.GOOD


def test_a_recovery_against_this_party_is_told_with_its_day_and_the_veto():
    treaty = treaty_of(first_witnesses=(QM,))
    index = recovering(treaty, QM)
    unseen = checks(treaty)["recoveries"]
    witnessed(treaty)
    seen = checks(treaty)["recoveries"]

    assert (unseen.health, seen.health) == (Health.BAD, Health.BAD)
    assert "when witnesses have seen it" in unseen.words
    assert f"entry {index} gives this Party new keys on 2027-01-29 08:00 UTC: a fire in the ministry" == seen.words
    assert "veto it with the next Party key" in seen.hint


def test_a_recovery_that_this_party_stopped_is_no_alarm_any_more_and_one_of_another_is_told():
    treaty = treaty_of()
    index = recovering(treaty, QM)
    other = checks(treaty, own=QN)["recoveries"]
    treaty.enter(Veto(created=NOW, party=QM, recover_index=index), treaty.parties[QM].next_key)

    assert (other.health, other.words.split()[:4]) == (Health.WARNING, ["new", "keys", "wait", "for"])
    assert "qm vetoed" in checks(treaty)["recoveries"].words
    assert checks(treaty)["recoveries"].health is Health.WARNING


def test_a_party_that_nobody_confirmed_knows_it():
    treaty = treaty_of()
    treaty.enter(
        TreatyPolicy(created=NOW, serial=1, witness_wait_s=7 * DAY, recovery_wait_s=14 * DAY, confirmations=2),
        *treaty.founders[:2],
    )

    check = checks(treaty)["own confirmation"]
    assert (check.health, check.words[:6]) == (Health.WARNING, "0 of 2")
    assert checks(treaty_of())["own confirmation"].health is Health.GOOD


@pytest.mark.parametrize(("suspended", "health"), [(QM, Health.BAD), (QN, Health.WARNING)])
def test_who_is_suspended_is_told_with_the_reason(suspended, health):
    treaty = treaty_of()
    treaty.enter(Suspend(created=NOW, serial=1, party=suspended, reason="no contribution"), *treaty.founders[:2])

    check = checks(treaty)["suspended Parties"]
    assert check.health is health
    assert "no contribution" in check.words
    assert checks(treaty_of())["suspended Parties"].health is Health.GOOD


def test_settings_that_the_directory_does_not_have_yet_are_told():
    treaty = treaty_of()
    update = treaty.roster.party(QM).update
    same = Particulars(name=update.display_name, region=False, authorities=update.authorities, contacts=update.contacts)

    assert checks(treaty, says=same)["own settings"].health is Health.GOOD
    changed = checks(treaty, says=replace(same, patterns=NOTHING, pilot=True))["own settings"]
    assert (changed.health, "own settings" in checks(treaty)) == (Health.WARNING, False)
