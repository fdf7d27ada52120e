"""`gsp directory`: typed at folders with real files, of a Party and of the Secretariat, without their nodes."""

from __future__ import annotations

import asyncio
import html.parser
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation.errors import Misuse
from federation.identity import PartyId
from federation.ports import Enrolment
from federation.trust.entries import (
    Administrator,
    AdministratorKind,
    Authority,
    AuthorityKind,
    Ca,
    Confirm,
    Contact,
    Duty,
    EntryBody,
    EntryKind,
    Founders,
    Override,
    Recover,
    Reinstate,
    Revoke,
    RevokedKind,
    Rotate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
    Veto,
    Withdraw,
    Witnessed,
    mandate_id,
)
from node.__main__ import main
from node.cli.directory_entries import sentence
from node.cli.exit_codes import ExitCode
from node.cli.session import Surroundings
from node.config import SecretariatSettings, write_settings
from node.store.directory import SqliteDirectory
from node.store.enrolment import SqliteEnrolments
from tests.support.rpc import SetClock
from tests.support.treaty import DAY, NOW, Treaty
from tests.unit.test_config import settings
from tests.unit.test_directory_view import with_first_witness

QM, QN, QR = PartyId("qm"), PartyId("qn"), PartyId("qr")
HOSTILE = "<script>alert(1)</script> & Co"


@pytest.fixture
def treaty() -> Treaty:
    made = Treaty.make(seed=95)
    made.announce(made.admit("qm"))
    made.announce(made.admit("qr"), region=True)
    made.enter(
        replace(
            made.update(made.parties[QM], serial=2),
            created=NOW + DAY,
            authorities=(
                Authority(kind=AuthorityKind.CUSTOMS, name="Customs of the North"),
                Authority(kind=AuthorityKind.POLICE, name=HOSTILE),
            ),
            contacts=(Contact(name="New desk", address="new@qm.example"),),
            administrators=(Administrator(kind=AdministratorKind.NATIONAL, name="Ministry", address="it@qm.example"),),
            pilot=True,
            profile_version=4,
            profile_digest=bytes(range(32)),
        ),
        made.parties[QM].key,
    )
    made.give_mandate(region=made.parties[QR], member=made.parties[QM])
    return made


@pytest.fixture
def home(treaty: Treaty, tmp_path: Path) -> Path:
    """A Party's folder, as far as this verb reads it."""
    folder = tmp_path / "qm"
    folder.mkdir()
    write_settings(folder / "node.toml", settings(genesis=treaty.genesis_digest.hex()))
    asyncio.run(fill(folder, treaty))
    return folder


async def fill(folder: Path, treaty: Treaty) -> None:
    async with SqliteDirectory.open(folder / "directory.sqlite") as store:
        await store.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())


def run(command: str, *, now: float = NOW + 2 * DAY) -> Result:
    surroundings = Surroundings(clock=SetClock(now))
    return CliRunner().invoke(main, command.split(), obj=surroundings, env={"GSP_OFFICER": None, "COLUMNS": "100"})


def document(result: Result) -> dict[str, object]:
    assert result.exit_code in (ExitCode.FINE, ExitCode.WARNING), result.output
    return json.loads(result.stdout)


# --- show ------------------------------------------------------------------------------------------------------------------


def test_all_parties_are_shown_with_status_and_who_answers(home):
    result = run(f"directory show --home {home}")

    assert result.exit_code == ExitCode.FINE, result.output
    assert "Directory of gsp.example: 9 entries, no witness vouches for a time" in result.stdout
    assert "none on duty: the log key alone vouches for this directory" in result.stdout
    qm = next(line for line in result.stdout.splitlines() if line.startswith("qm "))
    assert qm.split()[:6] == ["qm", "Party", "QM", "pilot", "qr", "one.qm.nodes.gsp.example:443"]


def test_one_party_is_shown_with_everything_that_stands(home, treaty):
    shown = run(f"directory show qm --home {home}").stdout

    for words in (
        "pilot: it tries this out",
        treaty.parties[QM].key.public_key.hex(),
        treaty.parties[QM].signer.public_key.hex(),
        "qr answers for it",
        "qr answers for qm until 2028-01-15",
        f"version 4, SHA-256 {bytes(range(32)).hex()}",
        "Authority  customs: Customs of the North",
        "Contact    New desk, new@qm.example",
        "Administrator (national) Ministry, it@qm.example",
        "suites 1; refuses below 1",
    ):
        assert words in shown, words
    assert "focal-point@qm.example" not in shown


def test_the_history_of_a_party_shows_former_contact_points_and_every_entry(home):
    shown = run(f"directory show qm --history --home {home}").stdout

    assert "2027-01-15 08:00 UTC  - 2027-01-16 08:00 UTC  Focal point, focal-point@qm.example" in shown
    assert "2027-01-16 08:00 UTC  - now                   New desk, new@qm.example" in shown
    assert "qm is admitted with the Party key" in shown
    history = document(run(f"directory show qm --history --home {home} --json"))["history"]
    assert [one["until"] is None for one in history["contacts"]] == [False, True]


def test_as_json_each_party_has_its_entries(home, treaty):
    shown = document(run(f"directory show --home {home} --json"))

    assert (shown["size"], shown["root"]) == (9, treaty.tree.frontier.root().hex())
    qm, qr = shown["parties"]
    assert (qm["status"], qm["answered_by"], qm["profile"]["version"]) == ("pilot", "qr", 4)
    assert qr["region"] is True
    assert qr["mandates"] == [
        {"region": "qr", "member": "qm", "scope": "answer", "not_after": "2028-01-15T08:00:00Z"},
    ]


def test_history_is_about_one_party(home):
    assert run(f"directory show --history --home {home}").exit_code == ExitCode.USAGE


def test_a_party_that_is_not_listed_is_not_found(home):
    result = run(f"directory show qz --home {home}")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "gsp directory show" in result.stderr


def test_who_is_invited_is_shown_at_the_secretariats_home_alone(treaty, home, tmp_path):
    folder = tmp_path / "secretariat"
    folder.mkdir()
    write_settings(
        folder / "secretariat.toml",
        SecretariatSettings(domain="gsp.example", genesis=treaty.genesis_digest.hex(), listen="127.0.0.1:1", join="127.0.0.1:2"),
    )
    asyncio.run(fill(folder, treaty))

    async def invite() -> None:
        async with SqliteEnrolments.open(folder / "enrolment.sqlite") as store:
            await store.swap(old=None, new=Enrolment(party=QN, token_hash=bytes(32), created=NOW, expires=NOW + 7 * DAY))

    assert document(run(f"directory show --home {folder} --json"))["invited"] == []
    asyncio.run(invite())

    assert document(run(f"directory show --home {folder} --json"))["invited"][0]["status"] == "invited"
    assert ["qn", "-", "invited"] in [line.split()[:3] for line in run(f"directory show --home {folder}").stdout.splitlines()]
    assert "invited: the code has expired" in run(f"directory show qn --home {folder}", now=NOW + 8 * DAY).stdout
    assert document(run(f"directory show --home {home} --json"))["invited"] == []


def test_a_folder_is_read_while_its_node_runs(home, treaty):
    async def look() -> Result:
        async with SqliteDirectory.open(home / "directory.sqlite"):
            return await asyncio.to_thread(run, f"directory show --home {home}")

    assert asyncio.run(look()).exit_code == ExitCode.FINE


def test_another_directory_than_the_settings_name_is_refused(home):
    write_settings(home / "node.toml", settings(genesis="ab" * 32))

    result = run(f"directory show --home {home}")
    assert result.exit_code == ExitCode.MISBEHAVIOUR
    assert "genesis" in result.stderr


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be looked at" * 30])
def test_a_file_that_is_no_directory_ends_with_our_error(home, content):
    (home / "directory.sqlite").write_bytes(content)
    result = run(f"directory show --home {home}")
    assert result.exit_code in (ExitCode.CONFIGURATION, ExitCode.UNAVAILABLE)
    assert "hint: " in result.stderr


def test_a_folder_without_a_node_and_no_source_at_all_are_named(tmp_path):
    assert run(f"directory show --home {tmp_path}").exit_code == ExitCode.CONFIGURATION
    assert run("directory show").exit_code == ExitCode.CONFIGURATION


# --- authorities -----------------------------------------------------------------------------------------------------------


def test_the_list_of_authorities_says_by_what_it_can_be_checked(home, treaty):
    shown = run(f"directory authorities --home {home}").stdout

    assert "qm     Party QM  customs  Customs of the North" in shown
    assert "qr     Party QR  customs  Customs of QR" in shown
    assert treaty.tree.frontier.root().hex() in shown
    assert "Printed    2027-01-17 08:00 UTC" in shown
    assert "police" not in run(f"directory authorities --kind customs --home {home}").stdout


def test_the_list_is_written_once_as_a_page_or_as_text(home, tmp_path, treaty):
    page, text = tmp_path / "list.html", tmp_path / "list.txt"

    assert run(f"directory authorities --home {home} -o {page}").exit_code == ExitCode.FINE
    assert run(f"directory authorities --home {home} -o {text}").exit_code == ExitCode.FINE
    again = run(f"directory authorities --home {home} -o {page}")

    assert again.exit_code == ExitCode.USAGE
    assert "there already" in again.stderr
    read = Page()
    read.feed(page.read_text())
    assert not read.tags & {"script", "link", "img", "iframe"}
    assert HOSTILE in read.text
    assert treaty.tree.frontier.root().hex() in read.text
    assert HOSTILE in text.read_text()


class Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_there_is_no_list_for_the_industry(home):
    result = run(f"directory authorities --kind industry --home {home}")
    assert result.exit_code == ExitCode.USAGE
    assert "market-surveillance" in result.stderr


# --- log -------------------------------------------------------------------------------------------------------------------


def test_every_entry_is_told_in_words_with_its_authors_and_whether_it_was_refused(home, treaty):
    treaty.enter(replace(treaty.update(treaty.parties[QM], serial=9), display_name="Forged"), treaty.parties[QR].key)
    (home / "directory.sqlite").unlink()
    asyncio.run(fill(home, treaty))

    shown = run(f"directory log --home {home}").stdout

    assert "ALARM     1 entry breaks a rule" in shown
    assert "REFUSED, it changed nothing: only the Party's own key writes this entry" in shown
    assert "the directory of gsp.example begins: 3 founders, 2 of whom sign together" in shown
    assert "2 x a founder, the Party key of qm" in shown
    entries = document(run(f"directory log --from 4 --party qm --kind update --home {home} --json"))["entries"]
    assert [(one["index"], one["accepted"]) for one in entries] == [(7, True), (9, False)]
    assert entries[1]["authors"][0]["party"] == "qr"


def test_every_kind_of_entry_has_its_sentence(treaty):
    mandate = treaty.mandate(region="qr", member="qm")
    key, digest, when = bytes(range(32)), bytes(32), {"created": NOW}
    bodies: list[EntryBody] = [
        treaty.genesis,
        treaty.admission(treaty.parties[QM]),
        treaty.update(treaty.parties[QM]),
        treaty.node_entry(treaty.parties[QM]),
        mandate,
        Confirm(**when, party=QM, subject=QR, admit_digest=digest),
        Ca(**when, party=QM, serial=1, party_ca=b"ca"),
        Rotate(**when, party=QM, party_key=key, next_key_hash=digest),
        Recover(**when, serial=1, party=QM, party_key=key, next_key_hash=digest, party_ca=b"", reason="a fire"),
        Veto(**when, party=QM, recover_index=7),
        Override(**when, party=QM, recover_index=7),
        *(
            Revoke(**when, party=QM, kind=kind, id=mandate_id(mandate) if kind is RevokedKind.MANDATE else key, reason="stolen")
            for kind in RevokedKind
        ),
        Suspend(**when, serial=1, party=QM, reason="no contribution"),
        Reinstate(**when, serial=1, party=QM),
        Withdraw(**when, party=QM, admit_digest=digest),
        Duty(**when, serial=1, party=QM, on=True),
        TreatyPolicy(**when, serial=1, witness_wait_s=DAY, recovery_wait_s=2 * DAY, confirmations=1),
        Founders(**when, serial=1, founders=(key,), threshold=1),
        RotateLog(**when, serial=1, log_key=key),
        RotateIssuer(**when, serial=1, issuing_ca=b"ca", secretariat_ca=b"", retire_former=True),
        Witnessed(**when, checkpoint=b""),
    ]

    told = [sentence(body) for body in bodies]

    assert len({type(body) for body in bodies}) == len(EntryKind)
    assert len(set(told)) == len(told)
    assert "the mandate of qr for qm: stolen" in " ".join(told)


# --- verify and export -----------------------------------------------------------------------------------------------------


def test_a_log_is_exported_and_verified_with_nothing_but_the_file_and_the_digest(home, treaty, tmp_path):
    file = tmp_path / "log.gsp"
    written = document(run(f"directory export -o {file} --home {home} --json"))
    digest, key = treaty.genesis_digest.hex(), treaty.log_signer.public_key.hex()

    result = run(f"directory verify {file} --genesis {digest} --log-key {key} --size 3")

    assert written["bytes"] == file.stat().st_size
    assert result.exit_code == ExitCode.FINE, result.output
    assert "The log holds, from its first entry to its checkpoint." in result.stdout
    assert "1 genesis, 2 admit, 2 node, 3 update, 1 mandate" in result.stdout
    assert f"At 3      {treaty.replica(3).frontier.root().hex()}" in result.stdout
    assert run(f"directory verify --home {home} --genesis {digest} --json").exit_code == ExitCode.FINE
    assert run(f"directory export -o {file} --home {home}").exit_code == ExitCode.USAGE


def test_a_log_with_a_refused_entry_holds_and_ends_with_a_warning(treaty, home, tmp_path):
    treaty.append(b"nothing that can be read")
    (home / "directory.sqlite").unlink()
    asyncio.run(fill(home, treaty))

    result = run(f"directory verify --home {home} --genesis {treaty.genesis_digest.hex()}")
    assert result.exit_code == ExitCode.WARNING
    assert "number 9: REFUSED" in result.stdout


def test_what_does_not_verify_is_told_apart(home, treaty, tmp_path):
    file = tmp_path / "log.gsp"
    run(f"directory export -o {file} --home {home}")
    digest = treaty.genesis_digest.hex()
    cut, changed, other = tmp_path / "cut", tmp_path / "changed", "ab" * 32
    cut.write_bytes(file.read_bytes()[:-1])
    raw = bytearray(file.read_bytes())
    raw[-40] ^= 1
    changed.write_bytes(raw)

    assert run(f"directory verify {file} --genesis {other}").exit_code == ExitCode.MISBEHAVIOUR
    assert run(f"directory verify {file} --genesis {digest} --log-key {other}").exit_code == ExitCode.MISBEHAVIOUR
    assert run(f"directory verify {cut} --genesis {digest}").exit_code == ExitCode.DATA
    assert run(f"directory verify {changed} --genesis {digest}").exit_code in (ExitCode.MISBEHAVIOUR, ExitCode.DATA)
    assert run(f"directory verify {file} --home {home} --genesis {digest}").exit_code == ExitCode.USAGE
    assert run(f"directory verify --genesis {digest}").exit_code == ExitCode.USAGE


# --- witness ---------------------------------------------------------------------------------------------------------------


def test_without_witnesses_it_says_who_could_change_that(home):
    assert "No Party is on witness duty: the founders put some on it." in run(f"directory witness --home {home}").stdout


def test_a_witness_that_waits_is_told_from_one_that_counts(tmp_path):
    treaty = with_first_witness()
    treaty.admit("qn")
    index = treaty.enter(Duty(created=NOW, serial=1, party=QN, on=True), *treaty.founders[:2])
    write_settings(tmp_path / "node.toml", settings(genesis=treaty.genesis_digest.hex()))
    asyncio.run(fill(tmp_path, treaty))

    shown = run(f"directory witness --home {tmp_path}").stdout
    assert "not yet: no checkpoint tells when it began" in shown
    assert "0 of 1 on duty cosigned, 1 have to: not enough yet" in shown
    first, waiting = document(run(f"directory witness --home {tmp_path} --json"))["witnesses"]
    assert (first["party"], first["entry"], first["counts"]) == ("qm", 0, True)
    assert (waiting["party"], waiting["entry"], waiting["counts"], waiting["cosigned_at"]) == ("qn", index, False, None)
    verified = run(f"directory verify --home {tmp_path} --genesis {treaty.genesis_digest.hex()}")
    assert verified.exit_code == ExitCode.WARNING


def test_no_verb_of_the_group_is_a_defect_when_nothing_is_there(tmp_path):
    for verb in ("show", "authorities", "log", "witness"):
        result = run(f"directory {verb} --home {tmp_path}")
        assert result.exit_code == ExitCode.CONFIGURATION
        assert Misuse.default_hint not in result.stderr
