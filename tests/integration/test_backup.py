"""A home backed up and put back: whole or not at all, with nothing in it that was to be forgotten."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from federation import limits
from federation.envelope.suite import seal_pieces
from federation.errors import Conflict, FederationError, Incompatible, InvalidConfiguration, InvalidInput, Malformed, Unauthentic
from federation.ports import Change, KeyUse
from node import backup
from node import limits as node_limits
from node.cli.serving import world
from node.formats.backups import CHECK_BYTES, SALT_BYTES, Header, HomeKind, Manifest, Member, encode_header, seal_backup
from node.keystore import Cost, Keystore
from node.keystore.file import derive_key
from node.restored import NAME, read_mark
from node.store.exchange import SqliteExchange
from tests.support import samples
from tests.support.checkout import ROOT
from tests.support.homes import PASSPHRASE, party_home, secretariat_home, vault_of

SECRET = b"of the backup"
Refusals = type[FederationError] | tuple[type[FederationError], ...]
LEFT_OUT = ("an officer's key", "the next Party key", "the root's key")


def take(home: Path, output: Path) -> Manifest:
    return backup.take(home, output, SECRET, world=world(), cost=Cost.MINIMAL)


def restore(path: Path, home: Path, secret: bytes = SECRET) -> Manifest:
    return backup.restore(path, home, secret, now=1_800_000_000)


def files_of(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


# --- what goes in and comes out -----------------------------------------------------------------------------------------------


async def test_a_partys_home_comes_back_as_it_was(tmp_path: Path) -> None:
    home = await party_home(tmp_path / "qm")
    manifest = take(home, tmp_path / "one.backup")
    assert restore(tmp_path / "one.backup", tmp_path / "again") == manifest

    before, after = files_of(home), files_of(tmp_path / "again")
    assert set(after) == {one.name for one in manifest.files} | {NAME}
    assert set(after) >= {"exchange.sqlite", "directory.sqlite", "patterns.sqlite", "trace.sqlite", "keystore", "policy.toml"}
    assert all(after[name] == before[name] for name in ("keystore", "node.toml", "joining.json", "policy.toml"))
    assert not any(words.encode() in content for words in LEFT_OUT for content in after.values())
    assert (await opened_keys(tmp_path / "again")) == ()
    mark = read_mark(tmp_path / "again")
    assert mark is not None
    assert (mark.at, mark.taken, mark.agreed) == (1_800_000_000, manifest.taken, None)


async def opened_keys(home: Path) -> tuple[object, ...]:
    vault = vault_of(Keystore.open(home / "keystore", PASSPHRASE))
    async with SqliteExchange.open(home / "exchange.sqlite", vault=vault) as store:
        return await store.keys()


async def test_the_secretariats_home_comes_back_as_it_was(tmp_path: Path) -> None:
    home = await secretariat_home(tmp_path / "secretariat")
    manifest = take(home, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", tmp_path / "again")

    before, after = files_of(home), files_of(tmp_path / "again")
    assert manifest.kind is HomeKind.SECRETARIAT
    assert set(after) == {one.name for one in manifest.files} | {NAME}
    assert {"certificates/ca.pem", "certificates/join.pem", "certificates/issuing-ca.pem", "enrolment.sqlite"} <= set(after)
    assert all(after[name] == before[name] for name in after if not name.endswith(".sqlite") and name != NAME)
    assert not any(words.encode() in content for words in LEFT_OUT for content in after.values())


async def test_everything_is_for_its_owner_alone_and_nothing_is_readable(tmp_path: Path) -> None:
    home = await party_home(tmp_path / "qm")
    take(home, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", tmp_path / "again")

    made = [tmp_path / "one.backup", tmp_path / "again", *(tmp_path / "again").rglob("*")]
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    sealed = (tmp_path / "one.backup").read_bytes()
    assert not any(word in sealed for word in (b"SQLite format", b"Mirovia", b"gsp-keystore", b"node.toml"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "one.backup", "qm"]
    assert not (home / ".backup").exists()


async def test_prekeys_and_reply_keys_stay_out_of_the_backup_and_their_epochs_too(tmp_path: Path) -> None:
    home = await party_home(tmp_path / "qm")
    vault = vault_of(Keystore.open(home / "keystore", PASSPHRASE))
    async with SqliteExchange.open(home / "exchange.sqlite", vault=vault) as store:
        await store.commit(Change(keys=(samples.key(1), samples.key(2, use=KeyUse.PREKEY)), asked=(samples.asked(1),)))
        take(home, tmp_path / "one.backup")  # while it is open, as in a running node
        assert len(await store.keys()) == 2
    with closing(sqlite3.connect(home / "exchange.sqlite")) as connection:
        sealed = [
            row[0] for table in ("key_epoch", "decryption_key") for row in connection.execute(f"SELECT sealed FROM {table}")
        ]
    assert len(sealed) == 4
    restore(tmp_path / "one.backup", tmp_path / "again")

    found = (tmp_path / "again" / "exchange.sqlite").read_bytes()
    assert not any(one in found for one in sealed)
    assert samples.asked(1).message_id in found


async def test_a_backup_of_a_store_in_use_holds_all_that_was_committed_before(tmp_path: Path) -> None:
    """And no half of anything: journal and crossings of the copy are in step, whatever goes on meanwhile."""
    home = await party_home(tmp_path / "qm")
    vault = vault_of(Keystore.open(home / "keystore", PASSPHRASE))
    async with SqliteExchange.open(home / "exchange.sqlite", vault=vault) as store, asyncio.TaskGroup() as group:
        for number in range(50):
            await store.commit(one_crossing(number))
        going_on = [group.create_task(store.commit(one_crossing(number))) for number in range(50, 250)]
        await asyncio.to_thread(take, home, tmp_path / "one.backup")
        await asyncio.gather(*going_on)
    restore(tmp_path / "one.backup", tmp_path / "again")

    with closing(sqlite3.connect(tmp_path / "again" / "exchange.sqlite")) as connection:
        counted = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("crossing", "leaf", "asked")]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert counted[0] >= 50
    assert len(set(counted)) == 1


def one_crossing(number: int) -> Change:
    return Change(crossings=(samples.crossing(number),), asked=(samples.asked(number),), leaves=(samples.leaf(f"sent {number}"),))


async def test_files_that_the_settings_name_elsewhere_come_along_and_the_settings_name_them_anew(tmp_path: Path) -> None:
    policy, pattern = tmp_path / "etc" / "our policy.toml", ROOT / "config" / "patterns" / "demo-qm.toml"
    home = await party_home(tmp_path / "qm", policy=str(policy), patterns=("own/first.toml", str(pattern)))
    (home / "own").mkdir()
    (home / "own" / "first.toml").write_bytes(pattern.read_bytes())
    manifest = take(home, tmp_path / "one.backup")
    policy.unlink()
    restore(tmp_path / "one.backup", tmp_path / "again")

    names = {one.name for one in manifest.files}
    assert {"own/first.toml", "named/2-demo-qm.toml", "named/3-our_policy.toml"} <= names
    settings = backup.read_node_settings(tmp_path / "again" / "node.toml")
    assert settings.patterns == ("own/first.toml", "named/2-demo-qm.toml")
    assert settings.policy == "named/3-our_policy.toml"
    assert (tmp_path / "again" / "named" / "2-demo-qm.toml").read_bytes() == pattern.read_bytes()


async def test_every_store_that_a_node_has_is_in_a_backup() -> None:
    """Whoever adds a store has to say whether it is backed up."""
    kinds = {path.name.partition("-v")[0] for path in (ROOT / "node" / "store").glob("*-v*.sql") if "upgrade" not in path.name}

    assert {f"{kind}.sqlite" for kind in kinds} == set(backup.SCHEMAS)
    assert {name for names in backup.DATABASES.values() for name in names} == set(backup.SCHEMAS)


async def test_a_backup_is_never_written_over_and_two_are_not_made_at_once(tmp_path: Path) -> None:
    home = await party_home(tmp_path / "qm")
    take(home, tmp_path / "one.backup")
    first = (tmp_path / "one.backup").read_bytes()
    with pytest.raises(Conflict, match="is there already"):
        take(home, tmp_path / "one.backup")
    with backup._workshop(home / ".backup", ""), pytest.raises(Conflict, match="another backup"):
        take(home, tmp_path / "two.backup")

    assert (tmp_path / "one.backup").read_bytes() == first
    assert not (tmp_path / "two.backup").exists()


async def test_what_an_interrupted_backup_left_is_in_nobodys_way(tmp_path: Path) -> None:
    home = await party_home(tmp_path / "qm")
    (home / ".backup").mkdir(mode=0o700)
    (home / ".backup" / "trace.sqlite-partial").write_bytes(b"half of it")
    take(home, tmp_path / "one.backup")

    assert not (home / ".backup").exists()


@pytest.mark.parametrize("name", ["empty", "missing"])
async def test_a_folder_without_a_node_is_not_backed_up(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidConfiguration, match="holds no node"):
        take(tmp_path / name, tmp_path / "one.backup")


async def test_a_missing_file_that_the_settings_name_makes_no_backup(tmp_path: Path) -> None:
    home = await party_home(tmp_path / "qm", patterns=("gone.toml",))
    with pytest.raises(FederationError, match=r"gone\.toml"):
        take(home, tmp_path / "one.backup")

    assert not (tmp_path / "one.backup").exists()
    assert list(tmp_path.glob(".*")) == []


# --- what is refused ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def made(tmp_path: Path) -> Path:
    take(await party_home(tmp_path / "qm"), tmp_path / "one.backup")
    return tmp_path / "one.backup"


def refused(path: Path, expected: Refusals, secret: bytes = SECRET) -> FederationError:
    """Neither verified nor put back."""
    with pytest.raises(expected):
        backup.verify(path, secret)
    return not_put_back(path, expected, secret)


def not_put_back(path: Path, expected: Refusals, secret: bytes = SECRET) -> FederationError:
    """And nothing is left of the attempt."""
    there = set(path.parent.iterdir())
    with pytest.raises(expected) as raised:
        restore(path, path.parent / "again", secret)
    assert set(path.parent.iterdir()) == there
    assert raised.value.hint
    return raised.value


def test_a_wrong_passphrase_is_told_as_one(made: Path) -> None:
    assert "passphrase" in refused(made, InvalidInput, b"another one").message


@pytest.mark.parametrize("missing", [1, 16, 17, 5_000, 16_384 * 2])
def test_a_backup_that_was_cut_off_is_told_as_one(made: Path, missing: int) -> None:
    made.write_bytes(made.read_bytes()[:-missing])

    assert "bytes" in refused(made, Malformed).message


def test_a_backup_cut_off_in_its_first_block_does_not_open(made: Path) -> None:
    made.write_bytes(made.read_bytes()[:1_000])
    refused(made, (Unauthentic, Malformed))


@pytest.mark.parametrize("place", [0.05, 0.3, 0.5, 0.9, 0.9999])
def test_a_changed_backup_does_not_open(made: Path, place: float) -> None:
    content = bytearray(made.read_bytes())
    content[int(len(content) * place)] ^= 1
    made.write_bytes(content)

    refused(made, Unauthentic)


def test_a_backup_with_something_behind_it_is_refused(made: Path) -> None:
    made.write_bytes(made.read_bytes() + b"x")
    refused(made, (Malformed, Unauthentic))


def test_blocks_in_another_order_are_refused(made: Path) -> None:
    content = made.read_bytes()
    block = 16_384 + 16
    start = content.index(b"\n") + 1 + 56
    swapped = (
        content[:start]
        + content[start + block : start + 2 * block]
        + content[start : start + block]
        + content[start + 2 * block :]
    )
    made.write_bytes(swapped)

    refused(made, Unauthentic)


def test_a_cheaper_key_in_the_first_line_is_noticed(made: Path) -> None:
    line, _, rest = made.read_bytes().partition(b"\n")
    changed = msgspec.structs.replace(msgspec.json.decode(line, type=Header), passes=2)
    made.write_bytes(encode_header(changed) + rest)

    refused(made, InvalidInput)


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"not a backup\n", b'{"format":"gsp-keystore","version":1}\n', b"\xff" * 3_000]
)
def test_another_file_is_no_backup(made: Path, content: bytes) -> None:
    made.write_bytes(content)
    refused(made, Malformed)


def test_a_backup_of_a_later_version_is_told_as_one(made: Path) -> None:
    line, _, rest = made.read_bytes().partition(b"\n")
    later = msgspec.structs.replace(msgspec.json.decode(line, type=Header), version=2)
    made.write_bytes(encode_header(later) + rest)

    refused(made, Incompatible)


def test_an_expensive_key_in_the_first_line_is_not_tried(made: Path) -> None:
    line, _, rest = made.read_bytes().partition(b"\n")
    for field, value in (("memory_bytes", 2**40), ("passes", 100)):
        greedy = msgspec.json.decode(line) | {field: value}
        made.write_bytes(msgspec.json.encode(greedy) + b"\n" + rest)
        refused(made, Malformed)


async def test_a_folder_with_something_in_it_is_left_alone(made: Path) -> None:
    (made.parent / "file").touch()
    (made.parent / "link").symlink_to(made.parent / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(Conflict):
            restore(made, made.parent / name)
    (made.parent / "used").mkdir()
    (made.parent / "used" / "note").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        restore(made, made.parent / "used")
    assert files_of(made.parent / "used") == {"note": b"mine"}

    (made.parent / "empty").mkdir()
    restore(made, made.parent / "empty")
    assert (made.parent / "empty" / "keystore").exists()


def test_what_a_killed_restore_left_is_in_nobodys_way(made: Path) -> None:
    left = made.parent / ".again.restoring"
    (left / "certificates").mkdir(parents=True)
    (left / "keystore").write_bytes(b"half of it")
    (left / "link").symlink_to(made)
    restore(made, made.parent / "again")

    assert not left.exists()
    assert made.exists()
    assert "link" not in files_of(made.parent / "again")


# --- a backup that somebody made by hand, with the right passphrase ------------------------------------------------------------


def forged(
    path: Path, files: dict[str, bytes], *, kind: HomeKind = HomeKind.PARTY, claim: Callable[[Member], Member] | None = None
) -> Path:
    """A backup with any names in it; `seal_backup` refuses them, so this goes around its check."""
    members = tuple(Member(name=name, size=len(content)) for name, content in files.items())
    if claim is not None:
        members = tuple(map(claim, members))
    manifest = Manifest(kind=kind, program="x", taken=1, files=members)
    encoded = msgspec.json.encode(manifest)
    salt = os.urandom(SALT_BYTES)
    key, check = derive_key(SECRET, salt, *Cost.MINIMAL.value)
    assert len(check) == CHECK_BYTES
    passes, memory_bytes = Cost.MINIMAL.value
    line = encode_header(Header(passes=passes, memory_bytes=memory_bytes, salt=salt, key_check=check))
    sealed = seal_pieces(key, b"gsp/v1/backup\0" + line, [len(encoded).to_bytes(4), encoded, *files.values()])
    path.write_bytes(line + b"".join(sealed))
    return path


GOOD = {"node.toml": b"", "keystore": b"k"}


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "a/../../evil",
        "a//b",
        ".hidden",
        "a/.hidden",
        "",
        "a/b/c/d/e",
        "officers/abcdefgh/key",
        "restored.json",
        "Keystore/x",
        "keystore/x",
        "exchange.sqlite-wal",
        "EXCHANGE.SQLITE",
        "a\0b",
        "a\nb",
        "a\\b",
        "ü",
        "tray/invite-qm.json",
        "secretariat.toml",
        "enrolment.sqlite",
        "x" * 200,
    ],
)
def test_a_name_that_no_home_has_is_refused(tmp_path: Path, name: str) -> None:
    refused(forged(tmp_path / "forged", {**GOOD, name: b"evil"}), Malformed)


@pytest.mark.parametrize(
    "files", [{"node.toml": b""}, {"keystore": b""}, {}, {**GOOD, "a": b"", "a/b": b""}, {**GOOD, "a": b"", "A": b""}]
)
def test_a_list_that_makes_no_home_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    refused(forged(tmp_path / "forged", files), Malformed)


def test_a_file_that_the_settings_do_not_name_is_refused(tmp_path: Path) -> None:
    settings = (ROOT / "config" / "node.example.toml").read_bytes()
    not_put_back(
        forged(tmp_path / "forged", {"node.toml": settings, "keystore": b"k", "more.toml": b""}),
        (Malformed, InvalidConfiguration),
    )


def test_settings_that_name_what_is_not_there_are_refused(tmp_path: Path) -> None:
    lines = [
        f'{name} = "{value}"'
        for name, value in (("party", "qm"), ("name", "M"), ("domain", "gsp.example"), ("genesis", "0" * 64))
    ]
    lines += [f'{name} = "127.0.0.1:1"' for name in ("secretariat", "listen", "desk")]
    for more in ('policy = "/etc/passwd"', 'policy = "gone.toml"', 'patterns = ["../other.toml"]'):
        settings = "\n".join([*lines, more]).encode()
        not_put_back(forged(tmp_path / "forged", {"node.toml": settings, "keystore": b"k"}), Malformed)


def test_a_store_that_is_none_is_refused(tmp_path: Path) -> None:
    lines = [
        f'{name} = "{value}"'
        for name, value in (("party", "qm"), ("name", "M"), ("domain", "gsp.example"), ("genesis", "0" * 64))
    ]
    lines += [f'{name} = "127.0.0.1:1"' for name in ("secretariat", "listen", "desk")]
    files = {"node.toml": "\n".join(lines).encode(), "keystore": b"k", "exchange.sqlite": b"no store at all" * 100}
    not_put_back(forged(tmp_path / "forged", files), FederationError)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("node.toml", node_limits.BACKUP_SMALL_FILE_BYTES_MAX + 1),
        ("keystore", node_limits.KEYSTORE_BYTES_MAX + 1),
        ("policy.toml", limits.PATTERN_FILE_BYTES_MAX + 1),
    ],
)
def test_a_file_larger_than_it_can_be_is_refused_before_it_is_read(tmp_path: Path, name: str, size: int) -> None:
    def claim(member: Member) -> Member:
        return Member(name=member.name, size=size) if member.name == name else member

    refused(forged(tmp_path / "forged", {**GOOD, "policy.toml": b""}, claim=claim), Malformed)


def test_a_database_that_is_said_to_fill_the_disk_is_not_begun(tmp_path: Path) -> None:
    def claim(member: Member) -> Member:
        return Member(name=member.name, size=2**39) if member.name == "trace.sqlite" else member

    error = refused(forged(tmp_path / "forged", {**GOOD, "trace.sqlite": b"x"}, claim=claim), Malformed)
    assert "bytes" in error.message


def test_what_may_not_be_put_back_is_not_sealed_either(tmp_path: Path) -> None:
    manifest = Manifest(kind=HomeKind.PARTY, program="x", taken=1, files=(Member(name="../evil", size=0),))
    with pytest.raises(Malformed):
        seal_backup(bytes(32), b"line", manifest, [])
