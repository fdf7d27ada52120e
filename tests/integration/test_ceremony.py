"""The founding ceremony with real files: what is carried, compared and signed, in which order, and what is refused."""

from __future__ import annotations

import dataclasses
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from federation.boundary.directory import open_genesis, sign_body
from federation.errors import Conflict, Forbidden, InvalidInput, Malformed, NotFound, Unauthentic
from federation.identity import PartyId
from federation.trust.certificate import from_pem
from federation.trust.entries import Duty, EntryKind, Genesis, Reinstate, Withdraw
from federation.trust.keys import SoftwareSigner
from federation.wire.directory import decode_entry_body, decode_signed_entry, encode_entry_body
from node import secretariat
from node.ceremony import draft, founder_signer, new_founder, new_root, prepare, sign_file, sign_request
from node.cli.serving import world
from node.formats.ceremony import IssuingFile, encode_file, read_entry, read_file, signature_name
from node.keystore import Cost, Keystore
from node.use_cases.founders import digits_of_file, read_aloud
from tests.support.hall import PASSPHRASE, Hall


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


async def test_founders_root_and_secretariat_found_a_directory_with_files_alone(hall: Hall) -> None:
    await hall.found()

    leaf = (hall.home / "genesis.leaf").read_bytes()
    genesis = open_genesis(leaf, hall.genesis).genesis
    assert (genesis.founders_threshold, len(genesis.founders)) == (2, 3)
    assert secretariat.read_settings(hall.home).genesis == hall.genesis.hex()


async def test_nobody_holds_a_key_of_somebody_else(hall: Hall) -> None:
    await hall.found()
    names = {path.parent.name: Keystore.open(path, PASSPHRASE).names() for path in hall.folder.glob("*/keystore")}

    assert names == {
        "founder-1": ("founder",),
        "founder-2": ("founder",),
        "founder-3": ("founder",),
        "root": ("root",),
        "secretariat": ("ca", "issuing", "join", "log"),
    }
    carried = [path for path in hall.home.rglob("*") if path.is_file() and path.name != "keystore"]
    for home, held in names.items():
        keystore = Keystore.open(hall.folder / home / "keystore", PASSPHRASE)
        for secret in map(keystore.get, held):
            assert not any(secret in path.read_bytes() or secret.hex() in path.read_text(errors="replace") for path in carried)


async def test_every_step_may_be_repeated_and_gives_the_same_files(hall: Hall) -> None:
    plan = hall.plan()
    path = hall.drafted(plan)
    before = {one: one.read_bytes() for one in hall.folder.rglob("*") if one.is_file() and one.name != "keystore"}

    assert hall.drafted(plan) == path  # the root signs again, and nothing that founders may have signed changes
    hall.plan()

    assert {one: one.read_bytes() for one in before} == before
    signatures = hall.sign(path, (1, 2, 3))
    first = await secretariat.found_treaty(hall.home, PASSPHRASE, signatures, world=world())
    settings = (hall.home / "secretariat.toml").read_text()
    assert await secretariat.found_treaty(hall.home, PASSPHRASE, hall.sign(path, (3, 2, 1)), world=world()) == first
    assert (hall.home / "secretariat.toml").read_text() == settings


async def test_a_founding_that_was_interrupted_before_its_end_goes_on(hall: Hall) -> None:
    signatures = hall.sign(hall.drafted(hall.plan()), (1, 2, 3))
    first = await secretariat.found_treaty(hall.home, PASSPHRASE, signatures, world=world())
    (hall.home / "secretariat.toml").unlink()  # as if the power had gone before the last step

    assert await secretariat.found_treaty(hall.home, PASSPHRASE, signatures, world=world()) == first
    async with secretariat.running(hall.home, PASSPHRASE):
        pass


async def test_it_is_not_founded_before_every_founder_has_signed(hall: Hall) -> None:
    signatures = hall.sign(hall.drafted(hall.plan()), (1, 2))

    with pytest.raises(Conflict, match="2 of 3"):
        await secretariat.found_treaty(hall.home, PASSPHRASE, signatures, world=world())
    assert not (hall.home / "secretariat.toml").exists()


async def test_a_signature_of_a_stranger_founds_nothing(hall: Hall) -> None:
    path = hall.drafted(hall.plan())
    new_founder(hall.founder(9), PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    with pytest.raises(Forbidden, match="not among the founders"):
        hall.sign(path, (9,))

    entry, stranger = read_entry(path), SoftwareSigner(bytes(32))
    forged = path.with_name(signature_name(path, stranger.public_key))
    signature = sign_body(entry.kind, entry.body, stranger)
    text = (hall.sign(path, (1,))[0]).read_text()
    file = msgspec.json.decode(text)
    file |= {"public_key": signature.public_key.hex(), "signature": signature.signature.hex()}
    forged.write_bytes(msgspec.json.encode(file))
    with pytest.raises(Unauthentic, match="no founder"):
        await secretariat.found_treaty(hall.home, PASSPHRASE, [forged, *hall.sign(path, (1, 2, 3))], world=world())


async def test_a_signature_of_another_entry_founds_nothing(hall: Hall, tmp_path: Path) -> None:
    path = hall.drafted(hall.plan())
    other = Hall(tmp_path / "elsewhere")
    other.folder.mkdir()
    foreign = other.sign(other.drafted(other.plan()), (1,))

    with pytest.raises(Forbidden, match="another entry"):
        await secretariat.found_treaty(hall.home, PASSPHRASE, foreign, world=world())
    assert path.exists()


def test_a_founder_signs_only_what_was_read_aloud(hall: Hall) -> None:
    path = hall.drafted(hall.plan())
    genesis = decode_entry_body(EntryKind.GENESIS, path.read_bytes())
    assert isinstance(genesis, Genesis)
    heard = read_aloud(EntryKind.GENESIS, path.read_bytes())
    path.write_bytes(encode_entry_body(dataclasses.replace(genesis, founders_threshold=1)))  # on the stick, on its way

    with pytest.raises(Unauthentic, match="digits"):
        hall.sign(path, (1,), claimed=heard)
    assert list(path.parent.glob("*.signature")) == []


def test_a_founder_does_not_sign_a_genesis_whose_certificates_do_not_hold_together(hall: Hall, tmp_path: Path) -> None:
    """The digits are right: whoever laid it out read them aloud. What a person cannot see, the program does."""
    path = hall.drafted(hall.plan())
    genesis = decode_entry_body(EntryKind.GENESIS, path.read_bytes())
    rogue = new_root(tmp_path / "rogue", PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    path.write_bytes(encode_entry_body(dataclasses.replace(genesis, root_certificate=rogue)))

    with pytest.raises(Unauthentic):
        hall.sign(path, (1,))


def test_the_digits_of_two_kinds_with_the_same_bytes_are_not_the_same(tmp_path: Path, hall: Hall) -> None:
    qm = PartyId("qm")
    off, back = Duty(created=7, serial=1, party=qm, on=False), Reinstate(created=7, serial=1, party=qm)

    assert encode_entry_body(off) == encode_entry_body(back)
    assert read_aloud(EntryKind.DUTY, encode_entry_body(off)) != read_aloud(EntryKind.REINSTATE, encode_entry_body(back))


def test_a_renamed_entry_gives_no_signature_for_what_it_was(hall: Hall, tmp_path: Path) -> None:
    body = encode_entry_body(Duty(created=7, serial=1, party=PartyId("qm"), on=False))
    (tmp_path / "1.duty").write_bytes(body)
    (tmp_path / "1.reinstate").write_bytes(body)
    hall.plan()

    one, two = hall.sign(tmp_path / "1.duty", (1,)), hall.sign(tmp_path / "1.reinstate", (1,))
    assert msgspec.json.decode(one[0].read_bytes())["signature"] != msgspec.json.decode(two[0].read_bytes())["signature"]


def test_founders_do_not_sign_what_a_party_writes(hall: Hall, tmp_path: Path) -> None:
    hall.plan()
    path = tmp_path / "qm.withdraw"
    path.write_bytes(encode_entry_body(Withdraw(created=1, party=PartyId("qm"), admit_digest=bytes(32))))

    with pytest.raises(Forbidden, match="founders do not sign"):
        hall.sign(path, (1,))


def test_the_root_signs_only_the_request_that_was_read_aloud(hall: Hall, tmp_path: Path) -> None:
    plan = hall.plan()
    new_root(hall.folder / "root", PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    true = prepare(hall.home, plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    rogue = prepare(tmp_path / "rogue", plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)

    with pytest.raises(Unauthentic):
        sign_request(hall.folder / "root", PASSPHRASE, rogue.request, true.digits, world=world())
    assert not rogue.request.with_name("issuing.signed").exists()


def test_what_another_root_signed_for_another_key_is_refused(hall: Hall, tmp_path: Path) -> None:
    plan = hall.plan()
    new_root(hall.folder / "root", PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    prepare(hall.home, plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    other = prepare(tmp_path / "other", plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    signed = sign_request(hall.folder / "root", PASSPHRASE, other.request, other.digits, world=world())

    with pytest.raises(Conflict, match="do not belong together"):
        draft(hall.home, PASSPHRASE, signed, world=world())


def test_the_issuing_ca_of_another_root_is_refused(hall: Hall, tmp_path: Path) -> None:
    path = hall.drafted(hall.plan())
    new_root(tmp_path / "rogue", PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    request = hall.home / "ceremony" / "issuing.request"
    file = read_file(request.with_name("issuing.signed"), IssuingFile)
    swapped = tmp_path / "issuing.signed"
    root = from_pem((tmp_path / "rogue" / "root.pem").read_bytes())
    swapped.write_bytes(encode_file(msgspec.structs.replace(file, root=root.hex())))

    path.unlink()
    with pytest.raises(Unauthentic):
        draft(hall.home, PASSPHRASE, swapped, world=world())


def test_once_a_genesis_is_laid_out_no_other_takes_its_place(hall: Hall) -> None:
    hall.drafted(hall.plan())
    request = hall.home / "ceremony" / "issuing.request"
    for path in (hall.folder / "root").glob("*.signed"):
        path.unlink()
    (hall.folder / "root" / "root.pem").unlink()  # the root's certificate is made anew, with another serial number
    new_root(hall.folder / "root", PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    again = sign_request(hall.folder / "root", PASSPHRASE, request, digits_of_file(request.read_bytes()), world=world())

    with pytest.raises(Conflict, match="another issuing CA"):
        draft(hall.home, PASSPHRASE, again, world=world())


def test_another_plan_in_the_same_folder_is_refused(hall: Hall) -> None:
    plan = hall.plan()
    prepare(hall.home, plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)

    with pytest.raises(Conflict, match="another plan"):
        prepare(hall.home, msgspec.structs.replace(plan, threshold=1), PASSPHRASE, world=world(), cost=Cost.MINIMAL)


@pytest.mark.parametrize(
    "changed", [{"threshold": 0}, {"threshold": 4}, {"founders": ()}, {"confirmations": 9}, {"founders": ("00" * 32,)}]
)
def test_a_plan_that_makes_no_sense_is_refused_before_any_key_is_made(hall: Hall, changed: dict[str, object]) -> None:
    plan = msgspec.structs.replace(hall.plan(), **changed)

    with pytest.raises((InvalidInput, Malformed, Unauthentic)):
        prepare(hall.home, plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    assert not (hall.home / "keystore").exists()


def test_one_founder_cannot_be_counted_twice(hall: Hall) -> None:
    plan = hall.plan()

    with pytest.raises(InvalidInput, match="different founders"):
        prepare(
            hall.home, msgspec.structs.replace(plan, founders=plan.founders[:1] * 2), PASSPHRASE, world=world(), cost=Cost.MINIMAL
        )


def test_a_founders_folder_is_no_roots_folder(hall: Hall) -> None:
    hall.plan()

    with pytest.raises(Conflict):
        new_root(hall.founder(1), PASSPHRASE, world=world(), cost=Cost.MINIMAL)
    with pytest.raises(NotFound):
        founder_signer(hall.folder / "nobody", PASSPHRASE)


def test_the_body_file_is_exactly_what_is_signed_so_that_any_tool_computes_its_digest(hall: Hall) -> None:
    path = hall.drafted(hall.plan())
    (signature,) = hall.sign(path, (1,))

    assert msgspec.json.decode(signature.read_bytes())["entry"] == sha256(path.read_bytes()).hexdigest()


async def test_the_genesis_leaf_is_the_one_in_the_log(hall: Hall) -> None:
    await hall.found()
    entry = decode_signed_entry((hall.home / "genesis.leaf").read_bytes())

    assert entry.body == (hall.home / "ceremony" / "treaty.genesis").read_bytes()
    assert len(entry.signatures) == 4


def test_a_party_signs_by_hand_only_what_is_laid_out_for_parties(hall: Hall) -> None:
    path = hall.drafted(hall.plan())
    digits = read_aloud(EntryKind.GENESIS, path.read_bytes())

    with pytest.raises(Forbidden, match="by hand"):
        sign_file(path, digits, SoftwareSigner(bytes(32)), as_party=True)
