"""What Parties say of themselves, with real nodes: announced at a start, written by a region, read by officers and from folders."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.federation import PASSPHRASE, _join
from federation.boundary.directory import genesis_digest
from federation.errors import Forbidden, NotFound, PeerMisbehaviour
from federation.identity import PartyId
from federation.trust.entries import AuthorityKind, Contact, MandateScope
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import Roster, Status
from node import party, secretariat
from node.__main__ import main
from node.cli.directory_source import _read_at_desk
from node.cli.profile import Profile, read_profile, write_profile
from node.cli.serving import free_address, world
from node.clock import SystemClock
from node.config import SecretariatSettings, read_node_settings
from node.formats.particulars import member_particulars
from node.ground import read_settings
from node.joining import Joined
from node.keystore import Cost, Keystore
from node.mandates import accept, bring_up_to_date, end, offer
from node.store.directory import read_copy
from node.use_cases.directory_view import spans
from node.use_cases.verified_log import verify_copy

QM, QN = PartyId("qm"), PartyId("qn")
SAID = """
pilot = true
profile = "profile.toml"

[[authorities]]
kind = "customs"
name = "Customs of the North"

[[contacts]]
name = "Focal point"
address = "focal-point@qm.example"

[[administrators]]
kind = "national"
name = "Ministry"
address = "it@qm.example"
"""
MEMBER = """
name = "Mirandia, by its region"
[[contacts]]
name = "Region's desk"
address = "desk@qn.example"
"""


@dataclass
class Hall:
    """A running Secretariat and two Parties that have joined; a test runs their nodes."""

    folder: Path
    genesis: bytes
    joined: dict[str, Joined]

    def home(self, name: str) -> Path:
        return self.folder / name

    def roster(self, name: str) -> Roster:
        """As it stands in the folder of a Party, or of the Secretariat."""
        return verify_copy(read_copy(self.home(name) / "directory.sqlite"), genesis_digest=self.genesis).roster

    async def until(self, stands: Callable[[Roster], bool], name: str = "secretariat") -> Roster:
        async with asyncio.timeout(20):
            while not stands(self.roster(name)):
                await asyncio.sleep(0.1)
        return self.roster(name)

    def profile(self, name: str) -> Profile:
        folder = self.folder / f"officer-{name}"
        if not folder.exists():
            joined = self.joined[name]
            write_profile(
                folder,
                officer=joined.officer,
                desk=joined.desk,
                node=joined.node,
                certificate=joined.officer_certificate,
                party_cas=(joined.party_ca,),
                seed=joined.officer_seed,
            )
        return read_profile(folder)

    def tools(self, name: str) -> tuple[Path, object, Keystore]:
        """What the command line opens: folder, settings, keystore."""
        return self.home(name), read_settings(self.home(name)), Keystore.open(self.home(name) / "keystore", PASSPHRASE)


@pytest.fixture(scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    folder = tmp_path_factory.mktemp("content")
    root = folder / "secretariat"
    settings = SecretariatSettings(
        domain="gsp.example", genesis="0" * 64, listen=free_address("127.0.0.1:0"), join=free_address("127.0.0.1:0")
    )
    made = await secretariat.initialise(
        root, settings=settings, passphrase=PASSPHRASE, founders=1, threshold=1, world=world(), cost=Cost.MINIMAL
    )
    async with secretariat.running(root, PASSPHRASE):
        genesis = bytes.fromhex(made.genesis)
        yield Hall(folder=folder, genesis=genesis, joined={name: await _join(folder, root, name, genesis) for name in (QM, QN)})


async def test_a_node_brings_what_its_settings_say_into_the_directory_when_it_starts(hall: Hall) -> None:
    path = hall.home("qm") / "node.toml"
    (hall.home("qm") / "profile.toml").write_text('version = 2\nsystem = "national"\n')
    path.write_text(path.read_text() + SAID)

    async with party.running(hall.home("qm"), PASSPHRASE) as running:
        record = (await hall.until(lambda roster: roster.party(QM).status is Status.PILOT)).party(QM)
        checks = {one.name: one for one in (await running.desk.status(hall.joined["qm"].officer)).checks}

    assert [(one.kind, one.name) for one in record.update.authorities] == [(AuthorityKind.CUSTOMS, "Customs of the North")]
    assert record.update.contacts == (Contact(name="Focal point", address="focal-point@qm.example"),)
    assert [one.name for one in record.update.administrators] == ["Ministry"]
    assert (record.update.profile_version, len(record.update.profile_digest)) == (2, 32)
    assert record.update.pattern_set_version > 0
    assert read_node_settings(path).pilot
    assert "only the log key vouches" in checks["witnesses"].words
    assert checks["own settings"].health.value == "good"


async def test_an_officer_reads_the_whole_log_at_the_own_node_and_verifies_it(hall: Hall) -> None:
    async with party.running(hall.home("qm"), PASSPHRASE) as running:
        copy = await _read_at_desk(hall.profile("qm"), SystemClock())
        replica = running.registry.replica

    assert genesis_digest(copy.leaves[0]) == hall.genesis
    assert verify_copy(copy, genesis_digest=hall.genesis).root == replica.frontier.root()


async def test_the_command_line_says_the_same_at_the_desk_and_in_the_folder(hall: Hall) -> None:
    hall.profile("qm")
    async with party.running(hall.home("qm"), PASSPHRASE):
        await hall.until(lambda roster: roster.size == hall.roster("secretariat").size, "qm")
        sources = (f"--officer {hall.folder / 'officer-qm'}", f"--home {hall.home('qm')}", f"--home {hall.home('secretariat')}")
        results = [await asyncio.to_thread(CliRunner().invoke, main, f"directory show qm {source}".split()) for source in sources]

    assert [result.exit_code for result in results] == [0, 0, 0], results[0].output
    assert results[0].stdout == results[1].stdout == results[2].stdout
    assert "Node       n1.qm.nodes.gsp.example at " in results[0].stdout


async def test_an_officer_of_another_party_and_a_stolen_certificate_read_nothing(hall: Hall) -> None:
    own, other = hall.profile("qm"), hall.profile("qn")
    stranger = Profile(
        folder=own.folder,
        officer=other.officer,
        desk=own.desk,
        node=own.node,
        certificate=other.certificate,
        party_cas=own.party_cas,
        signer=other.signer,
    )
    thief = Profile(
        folder=own.folder,
        officer=own.officer,
        desk=own.desk,
        node=own.node,
        certificate=own.certificate,
        party_cas=own.party_cas,
        signer=SoftwareSigner(bytes(range(32))),
    )
    async with party.running(hall.home("qm"), PASSPHRASE):
        for profile in (stranger, thief):
            with pytest.raises(PeerMisbehaviour):
                await _read_at_desk(profile, SystemClock())


async def test_a_region_administers_for_a_member_until_either_ends_it(hall: Hall, tmp_path: Path) -> None:
    region, member = hall.tools("qn"), hall.tools("qm")
    file = tmp_path / "member.toml"
    file.write_text(MEMBER)
    says = member_particulars(file, QM)
    with pytest.raises(Forbidden, match="no mandate to administer"):
        await bring_up_to_date(*region, party=QM, says=says, world=world())

    offered = await offer(*region, QM, days=30, scope=MandateScope.ADMINISTER, world=world())
    given = await accept(*member, offered, world())
    before = hall.roster("secretariat").party(QM).update
    written = await bring_up_to_date(*region, party=QM, says=says, world=world())
    again = await bring_up_to_date(*region, party=QM, says=says, world=world())

    roster = hall.roster("secretariat")
    assert given.scope is MandateScope.ADMINISTER
    assert roster.party(QM).name == "Mirandia, by its region"
    assert roster.party(QM).update.pattern_set_digest == before.pattern_set_digest
    assert (written is not None, again) == (True, None)
    assert roster.responder(QM, now=world().now()) == QM

    ended = await end(*member, QN, reason="Mirandia has an administrator again", world=world())
    assert ended.region == QN
    with pytest.raises(Forbidden):
        await bring_up_to_date(*region, party=QM, says=says, world=world())
    with pytest.raises(NotFound):
        await end(*region, QM, reason="again", world=world())
    view = verify_copy(read_copy(hall.home("secretariat") / "directory.sqlite"), genesis_digest=hall.genesis)
    assert not view.roster.alarms
    assert [one.value.name for one in spans(view, QM, lambda update: update.contacts) if one.until is None] == ["Region's desk"]


async def test_a_party_without_a_running_node_writes_its_own_entry(hall: Hall, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_bytes(PASSPHRASE)
    path = hall.home("qm") / "node.toml"
    path.write_text(path.read_text().replace('name = "qm"', 'name = "Mirandia again"', 1))
    command = f"party update --home {hall.home('qm')} --passphrase-file {passphrase} --json"

    results = [await asyncio.to_thread(CliRunner().invoke, main, command.split()) for _ in range(2)]

    assert ['"changed": true' in result.stdout for result in results] == [True, False], results[0].output
    assert hall.roster("secretariat").party(QM).name == "Mirandia again"


async def test_a_mandate_is_offered_accepted_used_and_ended_at_the_command_line(hall: Hall, tmp_path: Path) -> None:
    passphrase, offered, about = tmp_path / "passphrase", tmp_path / "offer.bin", tmp_path / "member.toml"
    passphrase.write_bytes(PASSPHRASE)
    about.write_text(MEMBER)
    region, member = (f"--home {hall.home(name)} --passphrase-file {passphrase} --json" for name in ("qn", "qm"))

    async def typed(command: str, *more: str) -> dict[str, Any]:
        result = await asyncio.to_thread(CliRunner().invoke, main, [*command.split(), *more])
        assert result.exit_code == 0, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    plain = await typed(f"party mandate offer qm -o {tmp_path / 'plain.bin'} {region}")
    await typed(f"party update {region}")  # follows the log, so that the offer knows of every mandate before it
    scoped = await typed(f"party mandate offer qm --scope both -o {offered} {region}")
    accepted = await typed(f"party mandate accept {offered} {member}")
    written = await typed(f"party update {about} --for qm {region}")
    ended = await typed(f"party mandate end qn {member}", "--reason", "It has an administrator again.")

    assert (plain["scope"], scoped["scope"], accepted["scope"]) == ("answer", "both", "both")
    assert written == {"party": "qm", "signed_by": "qn", "changed": True}
    assert (ended["region"], ended["member"], ended["ended"]) == ("qn", "qm", True)
    assert hall.roster("secretariat").mandates == ()
    refused = await asyncio.to_thread(CliRunner().invoke, main, f"party update --for qm {region}".split())
    assert refused.exit_code == 64
