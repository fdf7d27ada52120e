"""Keys that change while the centre is away or under suspicion, and officers who have to find their desk all the same."""

from __future__ import annotations

import asyncio
import functools
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import pytest

from federation.boundary.directory import compose_entry
from federation.errors import UnknownParty, Unreachable
from federation.identity import PartyId
from federation.trust.certificate import verify_officer
from federation.trust.entries import Recover
from federation.trust.keys import SoftwareSigner
from node import secretariat
from node.cli.officers.enrolling import enrol
from node.cli.profile import read_profile, write_profile
from node.cli.session import desk_of
from node.clock import SystemClock
from node.keystore import Keystore
from node.rotation import rotate_ca
from node.rpc import renewal
from node.rpc.desk import DeskClient
from node.rpc.officer import OfficerKey
from node.use_cases import founding
from node.use_cases.own_keys import Stands
from tests.support.centre import PASSPHRASE, Centre, a_centre
from tests.support.houses import House, acquainted, ask, ends_answered, house, invited, typed, until

CLOCK = SystemClock()
SECONDS = Stands(ca_s=1, desk_s=8, signing_s=1)


@pytest.fixture(autouse=True)
def looking_often(monkeypatch):
    monkeypatch.setattr(renewal, "LOOK_S", 0.2)


@pytest.fixture
async def leaving(tmp_path) -> AsyncIterator[tuple[AsyncExitStack, Centre]]:
    """A Secretariat that can be switched off before the test ends."""
    async with AsyncExitStack() as stack:
        yield stack, await stack.enter_async_context(a_centre(tmp_path / "secretariat"))


# --- officers find their desk when the CA changes ---


def profile_of(one: House, folder: Path) -> Path:
    joined = one.joined
    write_profile(
        folder,
        officer=joined.officer,
        desk=joined.desk,
        node=joined.node,
        certificate=joined.officer_certificate,
        party_cas=(joined.party_ca,),
        seed=joined.officer_seed,
    )
    return folder


async def call(folder: Path) -> None:
    """What every command of an officer does."""
    async with desk_of(read_profile(folder), CLOCK) as desk:
        await desk.status()


async def is_under(one: House, ca: bytes) -> bool:
    """Whether somebody who trusts this CA alone reaches the desk."""
    joined, officer = one.joined, one.officer
    key = OfficerKey(certificate=officer.certificate, signer=officer.signer)
    async with DeskClient(endpoint=joined.desk, node=joined.node, anchors=(ca,), key=key, clock=CLOCK) as desk:
        try:
            await desk.status()
        except Unreachable:
            return False
    return True


async def test_an_officers_program_learns_the_next_ca_before_the_desk_shows_itself_under_it(leaving, tmp_path):
    _, centre = leaving
    qm = await house(centre, tmp_path, "qm")
    told, untold = (profile_of(qm, tmp_path / name) for name in ("told", "untold"))
    async with qm.running(SECONDS) as node:
        await qm.change(rotate_ca, SECONDS)
        await until(lambda: len(node.registry.roster.party(qm.party).standing_cas) == 2)
        former, following = node.registry.roster.party(qm.party).standing_cas
        await call(told)
        assert read_profile(told).party_cas == (former, following)
        async with asyncio.timeout(60):
            while not await is_under(qm, following):
                await asyncio.sleep(0.2)
        await call(told)
        with pytest.raises(Unreachable):
            await call(untold)


async def test_who_enrols_between_gets_a_certificate_of_the_next_ca_at_a_desk_under_the_one_before(leaving, tmp_path):
    _, centre = leaving
    qm = await house(centre, tmp_path, "qm")
    stands = Stands(ca_s=0, signing_s=0)  # and the desk under the CA before for as long as a certificate lives
    async with qm.running(stands) as node:
        await qm.change(rotate_ca, stands)
        await until(lambda: len(node.registry.roster.party(qm.party).standing_cas) == 2)
        former, following = node.registry.roster.party(qm.party).standing_cas
        assert await is_under(qm, former)
        profile = await enrol(await invited(qm), tmp_path / "new", clock=CLOCK, seed=secrets.token_bytes(32))
        assert set(profile.party_cas) == {former, following}
        verify_officer(profile.certificate, ca=following, party=qm.party, domain=qm.joined.officer.domain, at=time.time())
        await call(tmp_path / "new")


# --- a Secretariat that does not answer ---


async def test_a_revocation_counts_at_once_when_the_secretariat_is_away(leaving, tmp_path):
    stack, centre = leaving
    qm, qn = await house(centre, tmp_path, "qm"), await house(centre, tmp_path, "qn")
    async with qm.running() as one, qn.running() as other:
        await acquainted(one, other)
        stolen = one.desk._own.signer.public_key
        await stack.aclose()
        ending, document = await typed(qm, "revoke", "signing", "--reason", "a copy was found")
        assert (ending != 0, document["error"]["code"]) == (True, Unreachable.code)
        await until(lambda: stolen in other.registry.roster.party(qm.party).revoked)
        assert stolen not in other.registry.replica.roster.party(qm.party).revoked
        with pytest.raises(UnknownParty):
            await ask(other, qn.officer, qm.party, "QM1")

        async with secretariat.running(centre.root, PASSPHRASE):
            again, _ = await typed(qm, "revoke", "signing", "--reason", "a copy was found")
            assert again == 0
            await until(lambda: stolen in other.registry.replica.roster.party(qm.party).revoked)
            await until(lambda: other.registry.roster.party(qm.party).node is not None)
            await acquainted(one, other)
            await ends_answered(other, qn.officer, await ask(other, qn.officer, qm.party, "QM1"))


async def test_a_stolen_ca_counts_no_more_at_once_when_the_secretariat_is_away(leaving, tmp_path):
    stack, centre = leaving
    qm, qn = await house(centre, tmp_path, "qm"), await house(centre, tmp_path, "qn")
    async with qm.running() as one, qn.running() as other:
        await acquainted(one, other)
        await stack.aclose()
        ending, document = await typed(qm, "revoke", "ca", "--reason", "a copy was found")
        assert (ending != 0, document["error"]["code"]) == (True, Unreachable.code)
        await until(lambda: not other.registry.roster.party(qm.party).standing_cas)
        assert other.registry.replica.roster.party(qm.party).standing_cas


# --- a recovery that nobody asked for ---


WAIT_S = 15


async def test_a_veto_by_command_stops_a_recovery_and_no_other_one(tmp_path, monkeypatch):
    monkeypatch.setattr(founding, "RECOVERY_WAIT_S", WAIT_S)
    monkeypatch.setattr(secretariat, "found", functools.partial(founding.found, first_witnesses=(PartyId("qm"),)))
    async with a_centre(tmp_path / "secretariat") as centre:
        qm = await house(centre, tmp_path, "qm")
        async with qm.running() as witness:
            await until(lambda: witness.registry.roster.party(qm.party).node is not None)
            qn, qo = await house(centre, tmp_path, "qn"), await house(centre, tmp_path, "qo")
            stolen = {one.party: SoftwareSigner(secrets.token_bytes(32)) for one in (qn, qo)}
            serial = witness.registry.roster.governance.serial
            async with qm.errand() as errand, errand.line() as line:
                for number, (party, key) in enumerate(stolen.items(), start=serial + 1):
                    await line.service.submit(line.secretariat, recovery(centre, party, key, serial=number))
            await until(lambda: all(one.seen_at is not None for one in waiting(witness)) and len(waiting(witness)) == 2)
            paper = tmp_path / "paper.txt"
            paper.write_text(f"{qn.shown[0]}\n")
            ending, document = await typed(qn, "veto", "--next-key", str(paper))
            assert (ending, document["key"]) == (0, "recovery")
            await until(lambda: [one.body.party for one in waiting(witness) if one.stopped] == [qn.party])

            await asyncio.sleep(max(0, max(one.seen_at for one in waiting(witness)) + WAIT_S + 1 - time.time()))
            before = witness.registry.roster.party(qn.party).party_key
            await qm.change(rotate_ca)  # any entry: with it the witness tells the log what time it is
            await until(lambda: witness.registry.roster.party(qo.party).party_key == stolen[qo.party].public_key, wait_s=60)
            assert witness.registry.roster.party(qn.party).party_key == before != stolen[qn.party].public_key


def waiting(node):
    return node.registry.roster.recoveries


def recovery(centre: Centre, party: PartyId, key: SoftwareSigner, *, serial: int) -> bytes:
    """Founders and a Secretariat, misled or worse, give a Party's name to somebody else."""
    log = SoftwareSigner(Keystore.open(centre.root / "keystore", PASSPHRASE).get("log"))
    body = Recover(
        created=int(time.time()),
        serial=serial,
        party=party,
        party_key=key.public_key,
        next_key_hash=sha256(SoftwareSigner(secrets.token_bytes(32)).public_key).digest(),
        party_ca=b"",
        reason="The ministry burnt down.",
    )
    founders = [SoftwareSigner(centre.founder(number)) for number in (1, 2)]
    return compose_entry(body, [*founders, log, key])
