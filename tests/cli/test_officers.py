"""`gsp officers`, typed by people, at a real desk: every verb, and every way in which one can be interrupted."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation.errors import Conflict, Unauthentic
from federation.identity import NodeName, OfficerName
from federation.query.codes import Purpose
from federation.trust.desk_code import decode_desk_code
from federation.trust.keys import SoftwareSigner
from node.__main__ import main
from node.cli.exit_codes import ExitCode
from node.cli.officers import enrolling
from node.cli.officers.enrolling import enrol
from node.cli.profile import read_profile
from node.cli.session import Surroundings
from node.config import NodeSettings, write_settings
from node.joining import Joined
from node.keystore import Cost, Keystore
from node.officers import officers_file, register_first, take_requests
from node.store.directory import SqliteDirectory
from node.store.officer_tray import OfficerTray
from node.store.officers import SqliteOfficers
from node.store.vault import Vault
from node.use_cases.officers import OfficerChange, OfficerState, Use
from node.use_cases.rights import Grant, Right
from node.use_cases.world import World
from tests.support.office import CUSTOMS, NODE, Office, open_office
from tests.support.rpc import DOMAIN, QM, WallClock
from tests.support.treaty import Treaty, secret

WORLD = World(clock=WallClock(), entropy=os.urandom)
PASSPHRASE = b"four words nobody guesses"


@dataclass
class Counter:
    """An administrator's machine, an officer's, and the desk between."""

    office: Office
    folder: Path
    boss: Path

    async def type(self, *words: str, profile: Path | None = None) -> Result:
        """Type a command, as the administrator unless another profile is named."""
        environment = {"GSP_OFFICER": str(profile or self.boss), "GSP_HOME": None, "COLUMNS": "100"}
        surroundings = Surroundings(clock=self.office.clock)
        return await asyncio.to_thread(CliRunner().invoke, main, ["officers", *words], obj=surroundings, env=environment)

    async def said(self, *words: str, profile: Path | None = None):
        result = await self.type(*words, "--json", profile=profile)
        assert result.exit_code == ExitCode.FINE, result.output
        return json.loads(result.stdout)

    async def invited(self, *more: str) -> dict[str, str]:
        right = () if "--right" in more else ("--right", "ask")
        return await self.said("invite", "--name", "Berta Beispiel", "--authority", "customs:Customs", *right, *more)

    async def enrolled(self, name: str, *more: str) -> Path:
        folder = self.folder / name
        await self.said("enrol", (await self.invited(*more))["code"], "--to", str(folder))
        return folder


@pytest.fixture
async def counter(tmp_path):
    async with open_office(tmp_path) as office:
        yield Counter(office=office, folder=tmp_path, boss=office.profile(tmp_path / "boss", await office.hire("boss0000")))


# --- every verb ------------------------------------------------------------------------------------------------------------


async def test_an_administrator_invites_and_the_officer_enrols_on_another_machine(counter):
    invited = await counter.type(
        *("invite", "--name", "Berta Beispiel", "--authority", "customs:Customs", "--right", "ask", "--purpose", "detection")
    )
    (code,) = re.findall(r"gsp officers enrol (\S+) --to DIR", invited.stdout)
    enrolled = await counter.type("enrol", code.lower(), "--to", str(counter.folder / "berta"))
    profile = read_profile(counter.folder / "berta")
    assert (invited.exit_code, enrolled.exit_code) == (0, 0)
    assert f"You are officer {profile.officer.officer_id}" in enrolled.stdout
    assert "Berta" not in enrolled.stdout
    assert not (counter.folder / "berta.enrolling").exists()
    shown = await counter.said("show", profile=counter.folder / "berta")
    assert shown["grants"] == [{"right": "ask", "authority": "customs:Customs", "purposes": ["detection"]}]


async def test_rights_are_granted_listed_and_withdrawn(counter):
    berta = await counter.enrolled("berta")
    own = read_profile(berta).officer.officer_id
    granted = await counter.said("grant", own, "--right", "audit", "--right", "answer", "--purpose", "investigation")
    assert granted == {"officer_id": own}
    listed = (await counter.type("list")).stdout
    assert re.search(rf"^{own}  active  .*answer,ask,audit +Berta Beispiel$", listed, re.MULTILINE)
    shown = (await counter.type("show", own)).stdout
    assert "Right     answer (investigation) for customs Customs" in shown
    await counter.said("withdraw", own, "--right", "audit", "--authority", "customs:Customs")
    assert (await counter.type("list", profile=berta)).exit_code == ExitCode.FORBIDDEN
    withdrawn = await counter.type("withdraw", own)
    assert withdrawn.stdout == f"withdrawn: officer {own}\n"
    assert (await counter.type("show", profile=berta)).exit_code == ExitCode.FORBIDDEN


async def test_who_did_what_is_shown(counter):
    own = read_profile(await counter.enrolled("berta")).officer.officer_id
    uses = (await counter.said("used"))["uses"]
    assert [(use["act"], use["officer_id"], use["subject"]) for use in uses] == [
        ("enrol", own, own),
        ("invite", "boss0000", own),
    ]
    table = (await counter.type("used", own, "--rows", "1")).stdout.splitlines()
    assert len(table) == 2
    assert "enrol" in table[1]


async def test_what_needs_a_second_administrator_waits_for_one(counter):
    second = await counter.enrolled("second", "--right", "administer")
    proposed = await counter.type("grant", "boss0000", "--right", "report", "--authority", "tax:Tax Office")
    assert "This needs a second administrator" in proposed.stdout
    (waiting,) = (await counter.said("pending"))["proposals"]
    assert (await counter.type("approve", waiting["proposal_id"])).exit_code == ExitCode.FORBIDDEN
    assert waiting["proposal_id"] in (await counter.type("pending", profile=second)).stdout
    await counter.said("approve", waiting["proposal_id"], profile=second)
    assert (await counter.type("pending")).stdout == "nothing waits for a second administrator\n"
    assert "report for tax Tax Office" in (await counter.type("show")).stdout


async def test_a_proposal_is_taken_back(counter):
    proposed = await counter.said("grant", "boss0000", "--right", "report", "--authority", "tax:Tax Office")
    await counter.said("approve", proposed["proposal_id"], "--decline")
    assert (await counter.said("pending"))["proposals"] == []


async def test_a_lost_key_is_replaced_by_a_new_code(counter):
    berta = await counter.enrolled("berta")
    own = read_profile(berta).officer.officer_id
    again = await counter.said("invite", "--again", own)
    assert (await counter.type("show", profile=berta)).exit_code == ExitCode.FORBIDDEN
    await counter.said("enrol", again["code"], "--to", str(counter.folder / "new"))
    assert read_profile(counter.folder / "new").officer.officer_id == own
    assert (await counter.said("show", profile=counter.folder / "new"))["name"] == "Berta Beispiel"


async def test_a_certificate_is_renewed_in_the_profile(counter):
    berta = await counter.enrolled("berta", "--days", "30")
    before = read_profile(berta)
    counter.office.clock.at += 29 * 86_400
    renewed = await counter.said("renew", profile=berta)
    after = read_profile(berta)
    assert after.window.not_after > before.window.not_after
    assert renewed["profile"] == str(berta)
    assert (after.signer.public_key, after.officer) == (before.signer.public_key, before.officer)
    counter.office.clock.at = before.window.not_after + 1
    assert (await counter.type("show", profile=berta)).exit_code == 0


async def test_a_certificate_that_has_ended_is_not_renewed(counter):
    berta = await counter.enrolled("berta", "--days", "30")
    counter.office.clock.at += 31 * 86_400
    result = await counter.type("renew", profile=berta)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "ask the administrator" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("invite", "--right", "ask"),
        ("invite", "--name", "A", "--authority", "customs:Customs"),
        ("invite", "--name", "A", "--authority", "tobacco:Industry", "--right", "ask"),
        ("invite", "--name", "A", "--authority", "customs: ", "--right", "ask"),
        ("invite", "--name", "A", "--authority", "customs:C", "--right", "everything"),
        ("invite", "--name", "A", "--authority", "customs:C", "--right", "ask", "--days", "29"),
        ("invite", "--name", "A", "--authority", "customs:C", "--right", "ask", "--desk", "nowhere"),
        ("invite", "--again", "abcdefgh", "--name", "A"),
        ("withdraw", "abcdefgh", "--authority", "customs:C"),
        ("grant", "boss0000"),
        ("enrol", "DESK-AAAAAAAA", "--to", "x"),
        ("enrol", "GSP-AAAAAAAA", "--to", "x"),
    ],
)
async def test_what_makes_no_sense_is_refused(counter, words):
    assert (await counter.type(*words)).exit_code == ExitCode.USAGE


async def test_what_is_not_there_is_not_found(counter):
    assert (await counter.type("show", "nobody00")).exit_code == ExitCode.NOT_FOUND
    assert (await counter.type("approve", "0123456789abcdef")).exit_code == ExitCode.NOT_FOUND


# --- interruptions -----------------------------------------------------------------------------------------------------------


async def test_enrolling_goes_on_with_the_same_key_after_every_interruption(counter, monkeypatch):
    office, folder = counter.office, counter.folder / "berta"
    code = decode_desk_code((await counter.invited())["code"])
    workshop = folder.with_name("berta.enrolling")
    for place in ("greeting", "write_profile", "_finished"):
        with monkeypatch.context() as cut:
            cut.setattr(enrolling, place, _power_cut)
            with pytest.raises(RuntimeError, match="power"):
                await enrol(code, folder, clock=office.clock, seed=os.urandom(32))
        key = (workshop / "key").read_text()
    profile = await enrol(code, folder, clock=office.clock, seed=os.urandom(32))
    assert profile.signer.public_key == SoftwareSigner(bytes.fromhex(key)).public_key
    assert not workshop.exists()
    assert len(office.issued) == 2  # the administrator's and this one


def _power_cut(*_args, **_named):
    raise RuntimeError("power")


async def test_a_key_that_was_cut_off_while_it_was_written_is_made_again(counter):
    workshop = counter.folder / "berta.enrolling"
    workshop.mkdir()
    (workshop / "key").write_text("ab")
    (workshop / "key").chmod(0o600)
    code = decode_desk_code((await counter.invited())["code"])
    assert (await enrol(code, counter.folder / "berta", clock=counter.office.clock, seed=b"s" * 32)).signer is not None


async def test_no_profile_is_written_over(counter):
    code = (await counter.invited())["code"]
    result = await counter.type("enrol", code, "--to", str(counter.boss))
    assert result.exit_code == ExitCode.USAGE
    assert "exists already" in result.stderr
    assert read_profile(counter.boss).officer.officer_id == "boss0000"


async def test_nothing_is_told_to_a_stranger(counter, tmp_path):
    (tmp_path / "stranger").mkdir()
    async with open_office(tmp_path / "stranger") as stranger:
        code = decode_desk_code((await counter.invited("--desk", stranger.endpoint))["code"])
        with pytest.raises(Unauthentic):
            await enrol(code, tmp_path / "berta", clock=counter.office.clock, seed=os.urandom(32))


# --- on the node's own machine -------------------------------------------------------------------------------------------------


@pytest.fixture
async def home(tmp_path) -> Path:
    """The folder of a node, as joining leaves it."""
    folder = tmp_path / "home"
    folder.mkdir()
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    keystore = Keystore.create(folder / "keystore", PASSPHRASE, os.urandom, cost=Cost.MINIMAL)
    treaty = Treaty.make(now=int(time.time()) - 60, domain=DOMAIN)
    treaty.admit("qm")
    keystore.put("ca", secret(treaty.seed, f"ca {treaty.parties[QM].name.trust_domain}"))
    keystore.put("storage", os.urandom(32))
    async with SqliteDirectory.open(folder / "directory.sqlite") as directory:
        await directory.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())
    settings = NodeSettings(
        party="qm",
        name="Mirovia",
        domain=DOMAIN,
        genesis=treaty.genesis_digest.hex(),
        secretariat="127.0.0.1:1",
        listen="127.0.0.1:2",
        desk="127.0.0.1:3",
    )
    write_settings(folder / "node.toml", settings)
    return folder


async def operate(home: Path, *more: str) -> Result:
    words = ["officers", "invite", "--name", "Ana", "--authority", "police:Police", "--right", "administer", *more]
    words += ["--home", str(home), "--passphrase-file", str(home.parent / "passphrase"), "--json"]
    return await asyncio.to_thread(CliRunner().invoke, main, words, env={"GSP_OFFICER": None})


def vault_of(home: Path) -> Vault:
    return Vault(Keystore.open(home / "keystore", PASSPHRASE).get("storage"), entropy=os.urandom)


async def test_the_operator_invites_an_administrator_while_the_node_does_not_run(home):
    result = await operate(home)
    document = json.loads(result.stdout)
    assert decode_desk_code(document["code"]).address == "127.0.0.1:3"
    async with SqliteOfficers.open(officers_file(home), vault=vault_of(home)) as store:
        (officer,) = await store.officers()
        (use,) = await store.uses(before=2**40, rows=5)
    assert (officer.officer_id, officer.state) == (document["officer_id"], OfficerState.INVITED)
    assert officer.holds(Right.ADMINISTER)
    assert (use.officer_id, use.act, use.subject) == ("", "invite", officer.officer_id)
    assert use.words == "by the operator: administer for police Police"


async def test_the_operator_invites_an_administrator_while_the_node_runs(home):
    storage_key = Keystore.open(home / "keystore", PASSPHRASE).get("storage")
    async with SqliteDirectory.open(home / "directory.sqlite"), open_office(home, storage_key=storage_key) as office:
        task = asyncio.get_running_loop().create_task(take_requests(home, vault_of(home), office.store, WORLD))
        try:
            document = json.loads((await operate(home)).stdout)
            assert (await office.store.officer(document["officer_id"])).holds(Right.ADMINISTER)
            assert "Ana" not in b"".join(path.read_bytes() for path in (home / "tray").iterdir()).decode("latin-1")
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_without_the_passphrase_nobody_is_invited(home):
    (home.parent / "passphrase").write_bytes(b"four words somebody guessed")
    result = await operate(home)
    assert result.exit_code == ExitCode.USAGE
    assert not officers_file(home).exists()
    assert not (home / "tray").exists()


async def test_who_can_write_into_the_tray_but_has_no_passphrase_invites_nobody(home):
    thief = OfficerTray(home / "tray", Vault(bytes(32), entropy=os.urandom))
    path = thief.put("abcdefgh", b"{}")
    (home / "tray" / "ijklmnop.officer").write_bytes(b"rubbish")
    (home / "tray" / "qrstuvwx.officer").write_bytes(bytes(100_000))
    async with SqliteOfficers.open(officers_file(home), vault=vault_of(home)) as store:
        task = asyncio.get_running_loop().create_task(take_requests(home, vault_of(home), store, WORLD))
        while any((home / "tray").glob("*.officer")):
            await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert await store.officers() == ()
    assert path.with_suffix(".refused").exists()


def joined(office: Office, officer_id: str) -> Joined:
    """What joining gives for its first officer."""
    name, seed = OfficerName(party=QM, officer_id=officer_id, domain=DOMAIN), os.urandom(32)
    return Joined(
        party=QM,
        fingerprint="",
        node=NodeName(party=QM, node_id=NODE.node_id, domain=DOMAIN),
        desk="127.0.0.1:3",
        officer=name,
        officer_seed=seed,
        officer_certificate=office.certify(SoftwareSigner(seed).public_key, name),
        party_ca=office.party_ca,
    )


async def test_the_first_officer_gets_all_rights_and_one_of_an_interrupted_try_none(home, tmp_path):
    keystore = Keystore.open(home / "keystore", PASSPHRASE)
    async with open_office(tmp_path) as office:
        for officer_id in ("firsttry", "secondtry"):
            await register_first(home, keystore, joined(office, officer_id), authority=CUSTOMS, world=WORLD)
    async with SqliteOfficers.open(officers_file(home), vault=vault_of(home)) as store:
        first, second = sorted(await store.officers(), key=lambda one: one.officer_id)
    assert (first.state, second.state) == (OfficerState.WITHDRAWN, OfficerState.ACTIVE)
    assert {grant.right for grant in second.grants} == set(Right)
    assert Grant(right=Right.ASK, authority=CUSTOMS, purposes=frozenset(Purpose)) in second.grants


async def test_joining_again_withdraws_nobody_who_is_at_work(home, tmp_path):
    keystore = Keystore.open(home / "keystore", PASSPHRASE)
    async with open_office(tmp_path) as office:
        first, again = joined(office, "atwork00"), joined(office, "again000")
    await register_first(home, keystore, first, authority=CUSTOMS, world=WORLD)
    async with SqliteOfficers.open(officers_file(home), vault=vault_of(home)) as store:
        await store.commit(OfficerChange(uses=(Use(at=5, officer_id="atwork00", act="status"),)))
    with pytest.raises(Conflict, match="officers already"):
        await register_first(home, keystore, again, authority=CUSTOMS, world=WORLD)
    async with SqliteOfficers.open(officers_file(home), vault=vault_of(home)) as store:
        assert (await store.officer("atwork00")).state is OfficerState.ACTIVE


async def test_the_operator_is_told_when_the_running_node_does_not_listen(home, monkeypatch):
    monkeypatch.setattr("node.officers.PATIENCE_S", 0.05)
    async with SqliteDirectory.open(home / "directory.sqlite"), open_office(home):
        result = await operate(home)
    assert json.loads(result.stdout)["error"]["code"] == Conflict.code
    assert list((home / "tray").glob("*.officer")) == []
