"""What stays in the files of a node's store: after a crash, and for whoever steals them."""

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from federation.errors import InvalidConfiguration, StoreUnavailable
from federation.ports import Change, Direction
from federation.trust import merkle
from node.store.database import Database
from node.store.exchange import SCHEMA, SqliteExchange
from node.store.patterns import SqlitePatterns
from node.store.vault import Vault
from tests.support import samples
from tests.support.commit_for_ever import STORAGE_KEY, change
from tests.support.samples import QM, message_id

ROOT = Path(__file__).parents[2]
VAULT = Vault(STORAGE_KEY, entropy=os.urandom)


def content_of(path):
    """Every byte that the store has on the disk."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


async def test_a_node_that_is_killed_loses_nothing_that_was_acknowledged(tmp_path):
    path = tmp_path / "exchange.sqlite"
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.commit_for_ever", str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said = [await program.stdout.readline() for _ in range(150)]
    program.kill()
    rest, _ = await program.communicate()
    acknowledged = [int(line) for line in [*said, *rest.splitlines()]]

    async with SqliteExchange.open(path, vault=VAULT) as store:
        for number in acknowledged:
            assert await store.asked(message_id(number)) == change(number).asked[0]
            crossing = await store.crossing(Direction.SENT, message_id(number))
            assert crossing is not None
            leaf = await store.leaf(crossing.leaf)
            assert leaf is not None
            assert leaf.content == f"sent {number}".encode()
        size = (await store.frontier()).size
        assert size == len(await store.keys()) == len(await store.waiting(QM)) >= len(acknowledged)
        await assert_journal_is_whole(store)
        await store.commit(Change(leaves=(samples.leaf("the node goes on"),)))
        await assert_journal_is_whole(store)


async def assert_journal_is_whole(store):
    """The stored nodes of the tree are those of its leaves."""
    whole = await store.frontier()
    again = merkle.Frontier()
    for index in range(whole.size):
        again, _ = again.append((await store.leaf(index)).hash())
    assert again == whole


async def test_secrets_are_in_no_file_while_the_store_is_open_or_after(tmp_path):
    path = tmp_path / "exchange.sqlite"
    crossing = replace(samples.crossing(1), statement=b"who asks what" * 20, body=b"about which codes" * 200)
    key, asked = samples.key(1), samples.asked(1, reference="case of a person with a name")
    secrets = [crossing.salt, b"who asks what", crossing.statement_signature, b"about which codes", key.seed, b"case of a person"]
    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(crossings=(crossing,), asked=(asked,), keys=(key,)))
        found = content_of(path)
        assert crossing.header in found  # the search finds what is not secret
        assert [secret for secret in secrets if secret in found] == []

    found = content_of(path)
    assert crossing.header in found
    assert [secret for secret in secrets if secret in found] == []


async def test_a_destroyed_key_is_not_even_there_sealed(tmp_path):
    path = tmp_path / "exchange.sqlite"
    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(keys=(samples.key(1), samples.key(2))))
    with closing(sqlite3.connect(path)) as connection:
        sealed = dict(connection.execute("SELECT key_id, sealed FROM decryption_key").fetchall())
    assert all(value in content_of(path) for value in sealed.values())

    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(keys_destroyed=(samples.key(1).key_id,)))
    found = content_of(path)
    assert sealed[samples.key(1).key_id] not in found
    assert sealed[samples.key(2).key_id] in found


async def test_a_wrong_storage_key_is_noticed_when_the_store_is_opened(tmp_path):
    path = tmp_path / "exchange.sqlite"
    async with SqliteExchange.open(path, vault=VAULT):
        pass
    with pytest.raises(InvalidConfiguration, match="storage key"):
        async with SqliteExchange.open(path, vault=Vault(b"x" * 32, entropy=os.urandom)):
            pass


async def test_a_sealed_field_that_was_moved_to_another_row_does_not_open(tmp_path):
    path = tmp_path / "exchange.sqlite"
    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(crossings=(samples.crossing(1), samples.crossing(2))))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE crossing SET sealed = (SELECT sealed FROM crossing WHERE id = 2) WHERE id = 1")

    async with SqliteExchange.open(path, vault=VAULT) as store:
        with pytest.raises(StoreUnavailable, match="does not open"):
            await store.crossing(Direction.SENT, message_id(1))
        assert await store.crossing(Direction.SENT, message_id(2)) == samples.crossing(2)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET nodes = zeroblob(32)",
        "UPDATE leaf SET content = x'00'",
        "UPDATE leaf SET position = position + 10",
        "DELETE FROM leaf",
    ],
)
async def test_a_leaf_of_the_journal_is_neither_changed_nor_removed(tmp_path, statement):
    path = tmp_path / "exchange.sqlite"
    async with SqliteExchange.open(path, vault=VAULT) as store:
        await store.commit(Change(leaves=(samples.leaf("sent"),)))
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="leaf of the journal"):
        connection.execute(statement)


async def test_salt_and_content_of_a_leaf_may_be_erased_and_the_proofs_still_hold(tmp_path):
    path = tmp_path / "exchange.sqlite"
    leaves = tuple(samples.leaf(f"leaf {number}") for number in range(5))
    async with SqliteExchange.open(path, vault=VAULT) as store:
        *_, last = await store.commit(Change(leaves=leaves))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE leaf SET salt = NULL, content = NULL WHERE position = 2")

    async with SqliteExchange.open(path, vault=VAULT) as store:
        assert await store.leaf(2) is None
        proof = await store.inclusion(2, 5)
        merkle.verify_inclusion(leaf_hash=leaves[2].hash(), index=2, size=5, proof=proof, root=last.root)


async def test_a_full_disk_leaves_journal_and_tables_in_step(tmp_path):
    path = tmp_path / "exchange.sqlite"
    async with Database.open(path, schema=SCHEMA) as database:
        store = SqliteExchange(database, VAULT)
        pages = await database.write(lambda writer: writer.execute("PRAGMA page_count").fetchone()[0])
        await database.write(lambda writer: writer.execute(f"PRAGMA max_page_count = {pages + 30}").fetchone())
        results = await asyncio.gather(*(store.commit(change(number)) for number in range(60)), return_exceptions=True)
        lost = [number for number, result in enumerate(results) if isinstance(result, StoreUnavailable)]
        assert 0 < len(lost) < 60
        assert (await store.frontier()).size == len(await store.keys()) == len(await store.waiting(QM)) == 60 - len(lost)

        await database.write(lambda writer: writer.execute("PRAGMA max_page_count = 1000000").fetchone())
        for number in lost:
            await store.commit(change(number))
        assert (await store.frontier()).size == len(await store.waiting(QM)) == 60
        await assert_journal_is_whole(store)


async def test_a_pattern_set_that_was_changed_on_the_disk_is_as_good_as_lost(tmp_path):
    path = tmp_path / "patterns.sqlite"
    encoded = b"an encoded set"
    digest = sha256(encoded).digest()
    async with SqlitePatterns.open(path) as patterns:
        await patterns.put(digest, encoded)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE pattern_set SET encoded = CAST('another set' AS BLOB)")

    async with SqlitePatterns.open(path) as patterns:
        assert await patterns.get(digest) is None
        await patterns.put(digest, encoded)
        assert await patterns.get(digest) == encoded
