"""Stores of versions 0.1.0 and 0.2.0, taken over by this program; and what is left of a sealing key when its epoch is over."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from federation.errors import InvalidConfiguration
from federation.ports import Change, DecryptionKey, Direction, KeyUse
from node.store import epochs, rows, tree
from node.store.database import Database
from node.store.exchange import SCHEMA, SqliteExchange
from node.store.vault import Vault
from tests.support import samples
from tests.support.samples import QM, message_id

ROOT = Path(__file__).parents[2]
STORAGE_KEY = b"k" * 32
VAULT = Vault(STORAGE_KEY, entropy=os.urandom)
V1 = ROOT / "tests/support/exchange-v1.sql"
V2 = ROOT / "tests/support/exchange-v2.sql"

PREKEYS = (samples.key(1, use=KeyUse.PREKEY), samples.key(2, use=KeyUse.PREKEY))
REPLY_KEYS = (samples.key(3), samples.key(4))
LEAVES = tuple(samples.leaf(f"leaf {number}") for number in range(5))


def insert(connection: sqlite3.Connection, table: str, row: rows.Row) -> None:
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", tuple(row))


def sealed_as_v1(key: DecryptionKey) -> bytes:
    return VAULT.seal(key.seed, column="decryption_key.sealed", row=key.key_id)


def make_v1(path: Path) -> dict[bytes, bytes]:
    """A file as version 0.1.0 made it, with something in every table. Gives what it has of each key."""
    sealed = {key.key_id: sealed_as_v1(key) for key in (*PREKEYS, *REPLY_KEYS)}
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(V1.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {SCHEMA.application_id}")
        connection.execute("PRAGMA user_version = 1")
        insert(connection, "vault", (1, VAULT.seal(b"", column="vault.sealed", row=b"")))
        for key in (*PREKEYS, *REPLY_KEYS):
            insert(connection, "decryption_key", (key.key_id, key.use, key.created, key.destroy_at, sealed[key.key_id]))
        fill(connection)
    return sealed


def make_v2(path: Path) -> None:
    """The same as version 0.2.0 made it."""
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(V2.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {SCHEMA.application_id}")
        connection.execute("PRAGMA user_version = 2")
        insert(connection, "vault", (1, VAULT.seal(b"", column="vault.sealed", row=b"")))
        for key in (*PREKEYS, *REPLY_KEYS):
            epochs.put(connection, key, VAULT)
        fill(connection)


def fill(connection: sqlite3.Connection) -> None:
    """What both versions keep in the same columns."""
    mark = samples.mark(7)
    insert(connection, "mark", (mark.sender, mark.message_id, mark.statement_hash))
    insert(connection, "asked", rows.asked_row(samples.asked(1), VAULT))
    insert(connection, "received", rows.received_row(samples.received(2)))
    insert(connection, "crossing", (None, *rows.crossing_row(samples.crossing(1), 0, VAULT)))
    insert(connection, "ciphertext", (1, samples.crossing(1).ciphertext))
    insert(connection, "outgoing", (None, *rows.outgoing_row(samples.outgoing(1))[:10]))
    insert(connection, "lane_head", rows.lane_head_row(samples.head(3)))
    journal = tree.GrowingTree()
    for leaf in LEAVES:
        position, nodes = journal.append(connection, leaf.hash())
        insert(connection, "leaf", (position.index, leaf.salt, leaf.content, nodes))


PREVIOUS = pytest.mark.parametrize("make", [make_v1, make_v2], ids=["0.1.0", "0.2.0"])


def content_of(path: Path) -> bytes:
    """Every byte that the store has on the disk, the copies beside it included."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


@PREVIOUS
async def test_a_store_of_an_earlier_version_is_taken_over_and_nothing_is_lost(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "exchange.sqlite"
    make(path)

    async with SqliteExchange.open(path, vault=VAULT) as store:
        assert await store.keys() == tuple(sorted((*PREKEYS, *REPLY_KEYS), key=lambda key: key.created))
        assert await store.asked(message_id(1)) == samples.asked(1)
        assert await store.received(message_id(2)) == samples.received(2)
        crossing = await store.crossing(Direction.SENT, message_id(1))
        assert crossing is not None
        assert (crossing.body, crossing.ciphertext) == (samples.crossing(1).body, samples.crossing(1).ciphertext)
        assert await store.waiting(QM) == (samples.outgoing(1, conversation=samples.crossing(1).conversation),)
        assert await store.heads() == (samples.head(3),)
        assert [await store.leaf(index) for index in range(5)] == list(LEAVES)
        assert (await store.frontier()).size == 5
        await store.commit(Change(keys_destroyed=(REPLY_KEYS[0].key_id,), leaves=(samples.leaf("it goes on"),)))
        assert len(await store.keys()) == 3
        assert await store.sort_crossings(rows=10) == 1, "what crossed before is told to peers in accounts, too"


async def test_the_copy_stands_beside_it_and_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sqlite"
    sealed = make_v1(path)
    async with SqliteExchange.open(path, vault=VAULT):
        pass

    copy = tmp_path / "exchange.sqlite-backup-v1"
    assert copy.stat().st_mode & 0o077 == 0
    assert not any(one in content_of(path) for one in sealed.values())
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM decryption_key").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM leaf").fetchone() == (5,)
        assert connection.execute("SELECT message_id FROM asked").fetchall() == [(message_id(1),)]


@PREVIOUS
async def test_an_upgraded_file_is_like_a_new_one(make: Callable[[Path], object], tmp_path: Path) -> None:
    upgraded, new = tmp_path / "upgraded.sqlite", tmp_path / "new.sqlite"
    make(upgraded)
    for path in (upgraded, new):
        async with SqliteExchange.open(path, vault=VAULT):
            pass

    shapes = []
    for path in (upgraded, new):
        with closing(sqlite3.connect(path)) as connection:
            shapes.append(set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")))
            assert connection.execute("SELECT number, first FROM journal_epoch").fetchall() == [(1, 0)]
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert shapes[0] == shapes[1]


async def test_with_another_storage_key_the_old_file_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sqlite"
    sealed = make_v1(path)
    with pytest.raises(InvalidConfiguration, match="storage key"):
        async with SqliteExchange.open(path, vault=Vault(b"x" * 32, entropy=os.urandom)):
            pass

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert dict(connection.execute("SELECT key_id, sealed FROM decryption_key")) == sealed


CRASHING = """
import asyncio, os, sys
from pathlib import Path
from node.store import epochs
from node.store.database import Database
from node.store.exchange import SqliteExchange
from node.store.vault import Vault

put, count = epochs.put, int(sys.argv[2])

def put_and_die(writer, key, vault):
    global count
    put(writer, key, vault)
    count -= 1
    if count == 0:
        os.kill(os.getpid(), 9)

epochs.put = put_and_die

async def main():
    async with SqliteExchange.open(Path(sys.argv[1]), vault=Vault(b"k" * 32, entropy=os.urandom)):
        pass

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 3])
async def test_a_crash_half_way_through_the_upgrade_leaves_the_old_file(tmp_path: Path, after: int) -> None:
    path = tmp_path / "exchange.sqlite"
    sealed = make_v1(path)
    ended = subprocess.run([sys.executable, "-c", CRASHING, str(path), str(after)], cwd=ROOT, check=False)
    assert ended.returncode == -9

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert dict(connection.execute("SELECT key_id, sealed FROM decryption_key")) == sealed
    async with SqliteExchange.open(path, vault=VAULT) as store:
        assert set(await store.keys()) == {*PREKEYS, *REPLY_KEYS}


def sealed_bytes(path: Path, table: str, key: str) -> dict[bytes, bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute(f"SELECT {key}, sealed FROM {table}"))


async def test_a_destroyed_epoch_is_nowhere_in_the_files_and_the_others_are(tmp_path: Path) -> None:
    """Neither the seed nor the epoch's key, sealed or not; in the file, its log and its copies."""
    path = tmp_path / "exchange.sqlite"
    ends_later = DecryptionKey(
        key_id=b"later".ljust(16), use=KeyUse.PREKEY, seed=os.urandom(32), created=1_700_000_009, destroy_at=1_701_100_000
    )
    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(keys=(*PREKEYS, ends_later, *REPLY_KEYS)))
    epochs, seeds = sealed_bytes(path, "key_epoch", "epoch"), sealed_bytes(path, "decryption_key", "key_id")
    assert len(epochs) == 4  # two prekeys end on one day
    assert all(one in content_of(path) for one in (*epochs.values(), *seeds.values()))
    gone_epochs = [epochs[(PREKEYS[0].destroy_at // 86_400).to_bytes(8)], epochs[REPLY_KEYS[0].key_id]]

    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(keys_destroyed=(PREKEYS[0].key_id,)))
        assert len(await store.keys()) == 4  # its neighbour of the same day can still be opened
        await store.commit(Change(keys_destroyed=(PREKEYS[1].key_id, REPLY_KEYS[0].key_id)))
        assert set(await store.keys()) == {ends_later, REPLY_KEYS[1]}

    found = content_of(path)
    plain = [VAULT.open(one, column="key_epoch.sealed", row=epoch) for epoch, one in epochs.items()]
    secret = [*plain, *(key.seed for key in (*PREKEYS, ends_later, *REPLY_KEYS))]
    gone = [*gone_epochs, *(seeds[key.key_id] for key in (*PREKEYS, REPLY_KEYS[0]))]
    assert [one for one in (*gone, *secret) if one in found] == []
    assert all(seeds[key.key_id] in found for key in (ends_later, REPLY_KEYS[1]))
    assert set(sealed_bytes(path, "key_epoch", "epoch")) == {(1_701_100_000 // 86_400).to_bytes(8), REPLY_KEYS[1].key_id}


async def test_a_sealed_seed_does_not_open_without_its_epoch(tmp_path: Path) -> None:
    """What an old copy of the table holds is of no use to whoever has the storage key."""
    path = tmp_path / "exchange.sqlite"
    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(keys=REPLY_KEYS))
        with closing(sqlite3.connect(path)) as thief:
            stolen = thief.execute("SELECT * FROM decryption_key").fetchall()
        await store.commit(Change(keys_destroyed=tuple(key.key_id for key in REPLY_KEYS)))
    with closing(sqlite3.connect(path)) as thief, thief:
        thief.executemany("INSERT INTO decryption_key VALUES (?, ?, ?, ?, ?, ?)", stolen)

    async with SqliteExchange.open(path, vault=VAULT) as store:
        assert await store.keys() == ()
    for row in stolen:
        with pytest.raises(Exception, match="does not open"):
            VAULT.open(row[-1], column="decryption_key.sealed", row=row[0])


async def test_under_load_too_a_destroyed_key_does_not_stay_in_the_log(tmp_path: Path) -> None:
    """The node is never quiet; the age at which its log is emptied all the same is none here."""
    path = tmp_path / "exchange.sqlite"
    async with Database.open(path, schema=SCHEMA, quiet_s=3_600, age_s=0.0) as database:
        store = SqliteExchange(database, VAULT)
        await store.commit(Change(keys=(REPLY_KEYS[0],)))
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
            ((epoch,),) = reader.execute("SELECT sealed FROM key_epoch").fetchall()
        assert epoch in content_of(path)
        await store.commit(Change(keys_destroyed=(REPLY_KEYS[0].key_id,)))
        await store.commit(Change(asked=(samples.asked(1),)))
        await store.commit(Change(asked=(samples.asked(2),)))

        assert epoch not in content_of(path)
