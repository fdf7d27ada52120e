"""The Secretariat's office at work: what founders sign later, rotation of its own keys while it runs, and who waits for what."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from federation.boundary.directory import sign_body
from federation.errors import Conflict, Forbidden, Unauthentic
from federation.identity import PartyId
from federation.trust import note
from federation.trust.enrolment import Step
from federation.trust.entries import (
    Duty,
    EntryKind,
    Founders,
    Override,
    Recover,
    Reinstate,
    Suspend,
    TreatyPolicy,
)
from federation.trust.fingerprint import digits_of
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import Roster, Status
from node import party, proposing, secretariat
from node.ceremony import Prepared, cosign_file, founder_signer, new_founder, party_signer, sign_file, sign_request
from node.cli.serving import world
from node.formats.ceremony import read_entry
from node.formats.standing import standing_of
from node.joining import join
from node.keystore import Cost, Custody, Keystore
from node.proposing import Proposed, propose
from node.store.directory import SqliteDirectory
from node.store.tray import Cosignature, Signed, Tray
from node.use_cases.founders import read_aloud
from node.use_cases.registry import Registry
from node.vouching import Check, confirm, own_standing, withdraw
from tests.support.hall import PASSPHRASE, Hall

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """A founded treaty whose Secretariat runs."""
    found = Hall(tmp_path)
    await found.found(found.plan(confirmations=1))
    async with secretariat.running(found.home, PASSPHRASE):
        await found.until((found.home / "status.json").exists)
        yield found


async def roster_of(hall: Hall, name: str) -> Roster:
    """What a node has accepted, from a copy of its directory."""
    async with SqliteDirectory.beside(hall.folder / name / "directory.sqlite") as store:
        return (await Registry.load(store, hall.genesis, world().clock)).roster


@asynccontextmanager
async def node_of(hall: Hall, name: str) -> AsyncIterator[None]:
    async with party.running(hall.folder / name, PASSPHRASE):
        yield


async def until_node(hall: Hall, name: str, holds) -> Roster:
    async with asyncio.timeout(30):
        while True:
            roster = await roster_of(hall, name)
            if holds(roster):
                return roster
            await asyncio.sleep(0.1)


@contextmanager
def custody(hall: Hall) -> Iterator[Custody]:
    with proposing.custody_of(hall.home, Keystore.open(hall.home / "keystore", PASSPHRASE)) as opened:
        yield opened


def propose_log_key(hall: Hall) -> Proposed:
    with custody(hall) as opened:
        return proposing.propose_log_key(hall.home, opened, world=world())


def propose_issuer(hall: Hall, *, signed: Path | None = None, own_ca: bool = False, retire: bool = False) -> Proposed:
    with custody(hall) as opened:
        return proposing.propose_issuer(hall.home, opened, signed=signed, own_ca=own_ca, retire=retire, world=world())


def request_issuer(hall: Hall) -> Prepared:
    with custody(hall) as opened:
        return proposing.request_issuer(hall.home, opened, world=world())


def policy(confirmations: int):
    day = 86_400
    return lambda serial: TreatyPolicy(
        created=world().now(), serial=serial, witness_wait_s=7 * day, recovery_wait_s=14 * day, confirmations=confirmations
    )


async def test_a_proposal_waits_until_enough_founders_have_signed_and_says_so(hall: Hall) -> None:
    proposed = propose(hall.home, policy(3))
    await hall.until(lambda: hall.status().proposals)
    hall.hand_over(hall.sign(proposed.path, (1,)))
    await hall.until(lambda: hall.status().proposals[0].problem)
    line = hall.status().proposals[0]

    assert (line.file, len(line.signed), line.needed) == ("0001-policy.policy", 1, 2)
    assert "1 founders signed; 2 have to" in line.problem
    assert line.digits == proposed.digits
    await hall.enact(proposed, (3,))
    assert hall.status().confirmations == 3
    assert (await roster_of(hall, "secretariat")).governance.confirmations == 3
    assert list(proposed.path.parent.glob("*.signature")) == []


async def test_each_proposal_gets_the_next_number_and_none_is_logged_twice(hall: Hall) -> None:
    first, second = propose(hall.home, policy(3)), propose(hall.home, policy(4))
    await hall.enact(second)
    hall.hand_over(hall.sign(first.path, (1, 2)))

    await hall.until(lambda: any("serial" in one.problem for one in hall.status().proposals))
    assert hall.status().confirmations == 4


async def test_a_strangers_signature_is_refused_and_says_why(hall: Hall) -> None:
    proposed = propose(hall.home, policy(3))
    await hall.until(lambda: hall.status().proposals)
    entry = read_entry(proposed.path)
    signature = sign_body(entry.kind, entry.body, SoftwareSigner(bytes(32)))
    request = Tray(hall.home / "tray").put(Signed(kind=entry.kind, entry=entry.digest, signature=signature))
    await hall.until(request.with_suffix(".refused").exists)

    assert "nobody who has a say" in request.with_suffix(".why").read_text()
    assert list(proposed.path.parent.glob("*.signature")) == []


async def test_a_file_in_the_folder_that_is_no_entry_hides_nothing(hall: Hall) -> None:
    (hall.home / "pending" / "0000-junk.duty").write_bytes(b"\xff\xff")
    await hall.until((hall.home / "pending" / "0000-junk.duty.refused").exists)

    await hall.enact(propose(hall.home, policy(2)))


async def test_signatures_that_came_before_a_restart_still_count(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    await hall.found()
    async with secretariat.running(hall.home, PASSPHRASE):
        await hall.until((hall.home / "status.json").exists)
        proposed = propose(hall.home, policy(3))
        await hall.until(lambda: hall.status().proposals)
        hall.hand_over(hall.sign(proposed.path, (1,)))
        await hall.until(lambda: hall.status().proposals[0].signed)
    assert hall.status().proposals[0].file == proposed.path.name  # the node is down: this is what it last knew
    async with secretariat.running(hall.home, PASSPHRASE):
        await hall.enact(proposed, (2,))


async def test_founders_suspend_a_party_and_take_it_back(hall: Hall) -> None:
    await hall.admit("qm", await hall.invite("qm"))
    now = world().now()
    await hall.enact(propose(hall.home, lambda serial: Suspend(created=now, serial=serial, party=QM, reason="Silence.")))
    (line,) = hall.status().parties
    assert (line.status, standing_of(line).next_act) == (
        Status.SUSPENDED,
        "the founders end the suspension: `gsp secretariat propose reinstate`",
    )
    await hall.enact(propose(hall.home, lambda serial: Reinstate(created=now, serial=serial, party=QM)))

    roster = await roster_of(hall, "secretariat")
    assert roster.parties[QM].status is Status.ACTIVE
    assert roster.governance.serial == 2


async def test_founders_stand_in_for_a_witness_that_is_lost_for_good(hall: Hall) -> None:
    """Its node never runs again, and its own coming off duty would have to be cosigned by it."""
    await hall.admit("qm", await hall.invite("qm"))
    now = world().now()
    await hall.enact(propose(hall.home, lambda serial: Duty(created=now, serial=serial, party=QM, on=True)))
    await hall.enact(propose(hall.home, lambda serial: Duty(created=now, serial=serial, party=QM, on=False)))
    path = hall.home / "pending" / "directory.checkpoint"
    await hall.until(path.exists)
    assert (hall.status().waiting, hall.status().witnesses_cosigned, hall.status().witnesses_needed) == (1, 0, 1)

    root = note.parse_checkpoint(note.parse_note(path.read_bytes()).text).root
    with pytest.raises(Unauthentic):
        cosign_file(path, digits_of(bytes(32)), founder_signer(hall.founder(1), PASSPHRASE), world=world())
    for number in (1, 2):
        assert hall.status().waiting == 1  # one founder is not enough
        cosigned = cosign_file(path, digits_of(root), founder_signer(hall.founder(number), PASSPHRASE), world=world())
        laid = Tray(hall.home / "tray").put(Cosignature(note=cosigned.file.read_bytes()))
        await hall.until(laid.with_suffix(".done").exists)

    await hall.until(lambda: hall.status().waiting == 0)
    await hall.until(lambda: not path.exists())
    await hall.enact(propose(hall.home, policy(2)))
    assert hall.status().confirmations == 2


async def test_the_log_key_is_changed_while_everybody_goes_on(hall: Hall) -> None:
    await hall.admit("qm", await hall.invite("qm"))
    before = hall.status().log_key
    async with node_of(hall, "qm"):
        await hall.enact(propose_log_key(hall))
        await hall.enact(propose(hall.home, policy(2)))  # the running Secretariat signs the next checkpoint with the new key
        roster = await until_node(hall, "qm", lambda one: one.governance.confirmations == 2)
        await hall.admit("qn", await hall.invite("qn"))

    assert roster.governance.log_key.hex() == hall.status().log_key != before
    assert roster.alarms == ()


async def test_a_log_key_that_was_proposed_twice_is_made_once(hall: Hall) -> None:
    one = propose_log_key(hall)
    two = propose_log_key(hall)

    assert read_entry(one.path).value.log_key == read_entry(two.path).value.log_key
    assert Keystore.open(hall.home / "keystore", PASSPHRASE).names() == ("ca", "issuing", "join", "log", "log-2")


async def rotate_issuer(hall: Hall, *, retire: bool = False) -> None:
    prepared = request_issuer(hall)
    signed = sign_request(hall.folder / "root", PASSPHRASE, prepared.request, prepared.digits, world=world())
    proposed = propose_issuer(hall, signed=signed, retire=retire)
    await hall.enact(proposed)


async def test_the_issuing_ca_and_the_secretariats_own_are_changed_and_the_former_ones_ended(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    await hall.found()
    async with secretariat.running(hall.home, PASSPHRASE):
        await hall.until((hall.home / "status.json").exists)
        await hall.admit("qm", await hall.invite("qm"))
        await rotate_issuer(hall)
        await hall.admit("qn", await hall.invite("qn"))  # under the new one at once: the running node takes its key up
    async with secretariat.running(hall.home, PASSPHRASE), node_of(hall, "qm"):
        await until_node(hall, "qm", lambda one: "qn" in one.parties)
        await hall.enact(propose_issuer(hall, retire=True))
        await until_node(hall, "qm", lambda one: len(one.governance.secretariat_cas) == 1)
        await hall.admit("qo", await hall.invite("qo"))
        roster = await until_node(hall, "qm", lambda one: "qo" in one.parties)

    assert (len(roster.governance.issuing_cas), len(roster.governance.secretariat_cas)) == (1, 1)
    former, new = roster.parties[QM].admit.issuing_ca, roster.governance.issuing_cas[0]
    assert roster.parties[QO].admit.issuing_ca == roster.parties[QN].admit.issuing_ca == new != former
    assert roster.alarms == ()


async def test_the_secretariats_own_ca_is_renewed_alone_and_nodes_that_run_follow_it(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    await hall.found()
    async with secretariat.running(hall.home, PASSPHRASE):
        await hall.until((hall.home / "status.json").exists)
        await hall.admit("qm", await hall.invite("qm"))
    async with node_of(hall, "qm"):
        async with secretariat.running(hall.home, PASSPHRASE):
            proposed = propose_issuer(hall, own_ca=True)
            await hall.enact(proposed)
            await until_node(hall, "qm", lambda one: len(one.governance.secretariat_cas) == 2)
        async with secretariat.running(hall.home, PASSPHRASE):  # now under the new CA
            await hall.enact(propose(hall.home, policy(5)))
            await until_node(hall, "qm", lambda one: one.governance.confirmations == 5)


async def test_a_change_of_issuer_that_changes_nothing_is_refused(hall: Hall) -> None:
    with pytest.raises(Conflict, match="nothing would change"):
        propose_issuer(hall)


async def test_what_a_rogue_root_signed_is_not_even_proposed(hall: Hall) -> None:
    rogue = Hall(hall.folder / "rogue")
    rogue.folder.mkdir()
    rogue.drafted(rogue.plan())
    prepared = request_issuer(hall)
    signed = sign_request(rogue.folder / "root", PASSPHRASE, prepared.request, prepared.digits, world=world())

    with pytest.raises(Unauthentic):
        propose_issuer(hall, signed=signed)


async def test_founders_hand_over_and_the_new_ones_sign_from_then_on(hall: Hall) -> None:
    made = [new_founder(hall.founder(number), PASSPHRASE, world=world(), cost=Cost.MINIMAL).public_key for number in (3, 4)]
    keys = tuple(sorted(made))
    proposed = propose(hall.home, lambda serial: Founders(created=world().now(), serial=serial, founders=keys, threshold=2))
    await hall.until(lambda: hall.status().proposals)
    hall.hand_over(hall.sign(proposed.path, (1, 3)))
    await hall.until(lambda: hall.status().proposals[0].problem)  # the new one has not proved that it has its key
    await hall.enact(proposed, (4,))

    assert hall.status().founders == tuple(key.hex() for key in keys)
    refused = propose(hall.home, policy(3))
    await hall.until(lambda: hall.status().proposals)
    (laid,) = hall.hand_over(hall.sign(refused.path, (1,)))
    await hall.until(laid.with_suffix(".refused").exists)
    await hall.enact(refused, (3, 4))


async def test_a_party_that_lost_its_keys_is_recovered_by_founders_with_a_new_key_that_it_proves(hall: Hall) -> None:
    await hall.admit("qm", await hall.invite("qm"))
    lost = Keystore.open(hall.folder / "qm" / "keystore", PASSPHRASE)
    lost.put("party-2", bytes(range(32)))
    new_key = SoftwareSigner(bytes(range(32))).public_key
    proposed = propose(
        hall.home,
        lambda serial: Recover(
            created=world().now(),
            serial=serial,
            party=QM,
            party_key=new_key,
            next_key_hash=sha256(b"next").digest(),
            party_ca=b"",
            reason="The building burnt down.",
        ),
    )
    await hall.until(lambda: hall.status().proposals)
    entry = read_entry(proposed.path)
    signer = party_signer([SoftwareSigner(lost.get("party")), SoftwareSigner(lost.get("party-2"))], entry)
    by_party = sign_file(proposed.path, proposed.digits, signer, as_party=True)
    hall.hand_over([by_party])
    await hall.enact(proposed)

    roster = await roster_of(hall, "secretariat")
    assert [one.body.party_key for one in roster.recoveries] == [new_key]
    assert roster.parties[QM].party_key != new_key  # it waits for fourteen days

    override = propose(hall.home, lambda _: Override(created=world().now(), party=QM, recover_index=roster.recoveries[0].index))
    await hall.until(lambda: hall.status().proposals)
    with pytest.raises(Forbidden, match="founders do not sign"):
        hall.sign(override.path, (1,))
    digits = read_aloud(EntryKind.OVERRIDE, override.path.read_bytes())
    other = party_signer([SoftwareSigner(lost.get("party"))], read_entry(override.path))
    assert sign_file(override.path, digits, other, as_party=True).exists()


# --- who waits for what -----------------------------------------------------------------------------------------------------------


async def test_both_sides_say_at_each_step_what_they_wait_for(hall: Hall) -> None:
    home = hall.folder / "qm"
    code = await hall.invite("qm")
    await hall.until(lambda: hall.status().parties)
    assert standing_of(hall.status().parties[0]).waits_for == "qm to join"

    with pytest.raises(Conflict):
        await join(hall.joining(home, code, wait_s=0.1), world())
    await hall.until(lambda: hall.status().parties[0].step is Step.ACCEPTED)
    own = await own_standing(home, world=world())
    theirs = standing_of(hall.status().parties[0])
    assert own.standing.waits_for == theirs.waits_for == "2 of 2 founders"
    assert own.standing.fingerprint == theirs.fingerprint

    hall.hand_over(hall.sign(hall.home / "pending" / "qm.admit", (1,)))
    await hall.until(lambda: hall.status().parties[0].founders_signed == 1)
    with pytest.raises(Conflict):
        await join(hall.joining(home, code, wait_s=0.1), world())
    assert (await own_standing(home, world=world())).standing.waits_for == "1 of 2 founders"

    await hall.admit("qm", code)
    own = await own_standing(home, world=world())
    assert own.has_settings
    assert own.standing.waits_for == "1 of 1 other Parties to confirm it"


async def test_what_a_party_waits_for_is_known_while_the_secretariat_is_gone(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    await hall.found()
    async with secretariat.running(hall.home, PASSPHRASE):
        with pytest.raises(Conflict):
            await join(hall.joining(hall.folder / "qm", await hall.invite("qm"), wait_s=0.1), world())
        await hall.until(lambda: hall.status().parties and hall.status().parties[0].step is Step.ACCEPTED)

    assert (await own_standing(hall.folder / "qm", world=world())).standing.waits_for == "2 of 2 founders"
    assert standing_of(hall.status().parties[0]).waits_for == "2 of 2 founders"


async def test_since_when_somebody_waits_outlives_a_restart(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    await hall.found()
    async with secretariat.running(hall.home, PASSPHRASE):
        await hall.invite("qm")
        await hall.until(lambda: hall.status().parties)
    since = hall.status().parties[0].since
    async with secretariat.running(hall.home, PASSPHRASE):
        await hall.invite("qn")
        await hall.until(lambda: len(hall.status().parties) == 2)

    assert hall.status().parties[0].since == since


async def test_parties_confirm_each_other_while_their_nodes_run(hall: Hall) -> None:
    joined = {name: await hall.admit(name, await hall.invite(name)) for name in ("qm", "qn")}
    keys = Keystore.open(hall.folder / "qm" / "keystore", PASSPHRASE)
    async with node_of(hall, "qm"), node_of(hall, "qn"):
        heard = Check(subject=QN, claimed=joined["qn"].fingerprint)
        (standing,) = await confirm(hall.folder / "qm", keys, [heard], world=world())
        again = await confirm(hall.folder / "qm", keys, [heard], world=world())
        await until_node(hall, "qm", lambda one: one.is_confirmed(QN))

    assert standing.is_confirmed
    assert again == (standing,)
    assert (await own_standing(hall.folder / "qn", world=world())).standing.fingerprint == joined["qn"].fingerprint


async def test_a_fingerprint_that_was_not_read_aloud_confirms_nobody(hall: Hall) -> None:
    joined = {name: await hall.admit(name, await hall.invite(name)) for name in ("qm", "qn", "qo")}
    keys = Keystore.open(hall.folder / "qm" / "keystore", PASSPHRASE)
    checks = [Check(subject=QO, claimed=joined["qo"].fingerprint), Check(subject=QN, claimed=joined["qo"].fingerprint)]

    with pytest.raises(Unauthentic, match="fingerprint"):
        await confirm(hall.folder / "qm", keys, checks, world=world())
    roster = await roster_of(hall, "secretariat")
    assert [roster.parties[one].confirmed_by for one in (QN, QO)] == [frozenset(), frozenset()]


async def test_a_party_leaves_by_its_own_word_and_comes_back_only_by_a_new_admission(hall: Hall) -> None:
    await hall.admit("qm", await hall.invite("qm"))
    keys = Keystore.open(hall.folder / "qm" / "keystore", PASSPHRASE)
    await withdraw(hall.folder / "qm", keys, world=world())
    await hall.until(lambda: hall.status().parties[0].status is Status.WITHDRAWN)

    code = await hall.invite("qm")
    (hall.folder / "qm").rename(hall.folder / "qm-before")
    await hall.admit("qm", code)
    assert (await roster_of(hall, "secretariat")).parties[QM].status is Status.ACTIVE


# --- attacks on joining -------------------------------------------------------------------------------------------------------------


async def test_replayed_join_code(hall: Hall, tmp_path: Path) -> None:
    """A code that let its Party in lets nobody in a second time, whatever keys come with it."""
    code = await hall.invite("qm")
    await hall.admit("qm", code)

    with pytest.raises(Conflict, match="other keys"):
        await join(hall.joining(tmp_path / "replay", code, wait_s=0.1), world())
    assert (await roster_of(hall, "secretariat")).size == 4  # genesis, admission, update, node: nothing came of it


async def test_stolen_join_code_used_by_somebody_else_first(hall: Hall, tmp_path: Path) -> None:
    """The true Party is told at once; its own fingerprint is another one than the thief's, so founders sign nothing of the thief; and
    with a new code it joins after all.
    """
    code = await hall.invite("qm")
    with pytest.raises(Conflict, match="0 of 2"):
        await join(hall.joining(tmp_path / "thief", code, wait_s=0.1), world())
    await hall.until((hall.home / "pending" / "qm.admit").exists)
    of_the_thief = read_aloud(EntryKind.ADMIT, (hall.home / "pending" / "qm.admit").read_bytes())

    with pytest.raises(Conflict, match="other keys") as told:
        await join(hall.joining(tmp_path / "true", code, wait_s=0.1), world())
    assert "tell the Secretariat at once" in told.value.hint
    with pytest.raises(Unauthentic):
        hall.sign(hall.home / "pending" / "qm.admit", (1,), claimed="00000 " * 12)

    anew = await hall.invite("qm", anew=True)
    joined = await hall.admit("qm", anew)
    assert joined.fingerprint != of_the_thief
    with pytest.raises(Forbidden):
        await join(hall.joining(tmp_path / "thief", code, wait_s=0.1), world())


async def test_founders_signatures_for_a_thief_do_not_admit_the_keys_that_came_after(hall: Hall, tmp_path: Path) -> None:
    """Begun anew, nothing that was signed before counts: the signatures are over other keys."""
    code = await hall.invite("qm")
    with pytest.raises(Conflict):
        await join(hall.joining(tmp_path / "thief", code, wait_s=0.1), world())
    path = hall.home / "pending" / "qm.admit"
    await hall.until(path.exists)
    signed = hall.sign(path, (1,))
    old = [signature.read_bytes() for signature in signed]
    anew = await hall.invite("qm", anew=True)
    await hall.until(lambda: not path.exists())
    with pytest.raises(Conflict):
        await join(hall.joining(tmp_path / "true", anew, wait_s=0.1), world())
    await hall.until(path.exists)
    signed[0].write_bytes(old[0])
    (laid,) = hall.hand_over(signed)

    await hall.until(laid.with_suffix(".refused").exists)
    assert hall.status().parties[0].founders_signed == 0


async def test_stolen_join_code_used_after_its_party(hall: Hall, tmp_path: Path) -> None:
    """While the founders have not signed yet, the thief neither takes the Party's place nor learns how to."""
    code = await hall.invite("qm")
    with pytest.raises(Conflict, match="0 of 2"):
        await join(hall.joining(tmp_path / "true", code, wait_s=0.1), world())
    await hall.until((hall.home / "pending" / "qm.admit").exists)
    waiting = (hall.home / "pending" / "qm.admit").read_bytes()

    with pytest.raises(Conflict, match="other keys"):
        await join(hall.joining(tmp_path / "thief", code, wait_s=0.1), world())
    assert (hall.home / "pending" / "qm.admit").read_bytes() == waiting


async def test_a_party_that_stands_in_the_directory_is_not_invited_again(hall: Hall) -> None:
    await hall.admit("qm", await hall.invite("qm"))
    await hall.invite("qm", anew=True)

    (refused,) = (hall.home / "tray").glob("invite-qm-*.refused")
    assert "stands in the directory already" in refused.with_suffix(".why").read_text()


async def test_code_for_another_secretariat(hall: Hall, tmp_path: Path) -> None:
    """Two treaties: the code of the one does not lead into the other, wherever its address points."""
    other = Hall(tmp_path / "other")
    other.folder.mkdir()
    await other.found()
    async with secretariat.running(other.home, PASSPHRASE):
        foreign = await other.invite("qm")
        with pytest.raises(Unauthentic, match="genesis"):
            await join(hall.joining(tmp_path / "one", foreign, wait_s=0.1), world())
        here = secretariat.read_settings(hall.home).join_endpoint
        with pytest.raises(Unauthentic, match="not the one"):
            await join(hall.joining(tmp_path / "two", dataclasses.replace(foreign, address=here), wait_s=0.1), world())
