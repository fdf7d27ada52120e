import asyncio
import os
import resource
import shutil
import sqlite3
import threading
from contextlib import asynccontextmanager, closing, contextmanager, suppress

import pytest

from federation.errors import Conflict, InvalidConfiguration, Misuse, StoreUnavailable
from node import limits
from node.store.database import Database
from node.store.schema import Schema

V1 = "CREATE TABLE note (number INTEGER PRIMARY KEY, text BLOB) STRICT; CREATE TABLE secret (key TEXT) STRICT; -- the end"
V2 = "ALTER TABLE note ADD COLUMN author TEXT;"


@pytest.fixture
def scripts(tmp_path):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "notes-v1.sql").write_text(V1)
    (folder / "notes-v2.sql").write_text(V1 + "\n" + V2)
    (folder / "upgrade-notes-to-v2.sql").write_text(V2)
    return folder


@pytest.fixture
def schema(scripts):
    return Schema(name="notes", version=1, left_out=("secret",), scripts=scripts)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a store's #1 file.sqlite"


def put(number, text=b"text"):
    return lambda writer: writer.execute("INSERT INTO note (number, text) VALUES (?, ?)", (number, text)).rowcount


def put_and_raise(number, error):
    def work(writer):
        put(number)(writer)
        raise error

    return work


def numbers(reader):
    return [number for (number,) in reader.execute("SELECT number FROM note ORDER BY number")]


@asynccontextmanager
async def held(database):
    """The writer does nothing until the block ends; what waits then is committed together."""
    started, gate = threading.Event(), threading.Event()

    def hold(_):
        started.set()
        gate.wait()

    holding = asyncio.ensure_future(database.write(hold))
    while not started.is_set():
        await asyncio.sleep(0)
    try:
        yield
    finally:
        gate.set()
    await holding


async def together(database, *works):
    """What comes of changes that are in one transaction."""
    async with held(database):
        waiting = [asyncio.ensure_future(database.write(work)) for work in works]
        await asyncio.sleep(0)
    return await asyncio.gather(*waiting, return_exceptions=True)


@contextmanager
def files_end_at(size):
    """No file of this process grows beyond the size: as near to a failing disk as a test comes without being root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_what_a_change_gives_is_given_and_a_reader_sees_it(path, schema):
    async with Database.open(path, schema=schema) as database:
        assert await database.write(put(1)) == 1
        assert await database.read(numbers) == [1]


async def test_a_commit_is_on_the_disk_when_it_returns(path, schema):
    """The mode is what SQLite itself says; that FULL means fsync at each commit is its own documentation's word."""
    async with Database.open(path, schema=schema) as database:
        settings = await database.write(
            lambda writer: [
                writer.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
            ]
        )

        assert settings == ["wal", 2, 1, 1]


async def test_what_one_change_does_wrong_touches_no_other(path, schema):
    async with Database.open(path, schema=schema) as database:
        first, wrong, refused, last = await together(database, put(1), put_and_raise(2, KeyError("ours")), put(1), put(3))

        assert (first, last) == (1, 1)
        assert isinstance(wrong, KeyError)
        assert isinstance(refused, Misuse)
        assert await database.read(numbers) == [1, 3]


async def test_a_reader_cannot_write(path, schema):
    async with Database.open(path, schema=schema) as database:
        with pytest.raises(StoreUnavailable):
            await database.read(put(1))


async def test_a_statement_that_is_wrong_is_our_own_fault(path, schema):
    async with Database.open(path, schema=schema) as database:
        with pytest.raises(Misuse):
            await database.read(lambda reader: reader.execute("SELECT nothing FROM nowhere"))


async def test_a_full_disk_is_told_loses_nothing_and_does_no_harm_when_there_is_room_again(path, schema):
    async with Database.open(path, schema=schema) as database:
        await database.write(lambda writer: writer.execute("PRAGMA max_page_count = 8").fetchone())
        acknowledged = []
        failure = None
        while failure is None:
            try:
                await database.write(put(len(acknowledged), b"x" * 1_000))
                acknowledged.append(len(acknowledged))
            except StoreUnavailable as error:
                failure = error
        assert "full" in failure.message
        assert "make room" in failure.hint
        assert await database.read(numbers) == acknowledged

        await database.write(lambda writer: writer.execute("PRAGMA max_page_count = 1000000").fetchone())
        await database.write(put(1_000))
        assert await database.read(numbers) == [*acknowledged, 1_000]


async def test_a_change_that_is_too_large_for_the_disk_does_not_stop_the_small_ones_beside_it(path, schema):
    async with Database.open(path, schema=schema) as database:
        await database.write(lambda writer: writer.execute("PRAGMA max_page_count = 8").fetchone())
        small, large, other = await together(database, put(1), put(2, b"x" * 1_000_000), put(3))

        assert (small, other) == (1, 1)
        assert isinstance(large, StoreUnavailable)
        assert await database.read(numbers) == [1, 3]


async def test_when_commit_fails_nobody_hears_of_what_was_not_written(path, schema):
    """The third change saw the first one's row, which then was never there: it must not be told what it saw."""
    async with Database.open(path, schema=schema) as database:
        await database.write(put(0))
        log = path.with_name(f"{path.name}-wal")
        with files_end_at(log.stat().st_size + 5_000):
            results = await together(database, put(1, b"x" * 50_000), put_and_raise(2, KeyError()), put_and_raise(1, KeyError()))

        assert [type(result) for result in results] == [StoreUnavailable] * 3
        assert len({id(result) for result in results}) == 3
        assert await database.write(put(1)) == 1
        assert await database.read(numbers) == [0, 1]


async def test_a_caller_who_is_cancelled_stops_nobody_else(path, schema):
    async with Database.open(path, schema=schema) as database:
        async with held(database):
            cancelled = asyncio.ensure_future(database.write(put(1)))
            other = asyncio.ensure_future(database.write(put(2)))
            await asyncio.sleep(0)
            cancelled.cancel()

        assert await other == 1
        assert cancelled.cancelled()


async def test_changes_that_wait_when_the_block_ends_are_committed_first(path, schema):
    waiting = []
    async with Database.open(path, schema=schema) as database:
        waiting = [asyncio.ensure_future(database.write(put(number))) for number in range(50)]
        await asyncio.sleep(0)

    assert await asyncio.gather(*waiting) == [1] * 50
    async with Database.open(path, schema=schema) as database:
        assert await database.read(numbers) == list(range(50))


async def test_after_the_block_there_is_no_store_and_no_thread(path, schema):
    before = threading.active_count()
    async with Database.open(path, schema=schema) as database:
        await database.write(put(1))
        assert threading.active_count() == before + 2

    for call in (database.write(put(2)), database.read(numbers)):
        with pytest.raises(StoreUnavailable):
            await call
    assert threading.active_count() == before
    assert not path.with_name(f"{path.name}-wal").exists()


async def test_an_error_in_the_block_comes_out_as_it_is(path, schema):
    with pytest.raises(KeyError, match="mine"):
        async with Database.open(path, schema=schema):
            raise KeyError("mine")


async def test_cancelling_the_block_closes_the_file(path, schema):
    async def hold():
        async with Database.open(path, schema=schema) as database:
            await database.write(put(1))
            opened.set()
            await asyncio.Event().wait()

    opened = asyncio.Event()
    holding = asyncio.ensure_future(hold())
    await opened.wait()
    holding.cancel()
    with suppress(asyncio.CancelledError):
        await holding

    async with Database.open(path, schema=schema) as database:
        assert await database.read(numbers) == [1]


async def test_when_the_writer_dies_the_block_ends_and_nobody_waits_for_ever(path, schema):
    told = []

    async def wait_for(database, work):
        try:
            await database.write(work)
        except StoreUnavailable:
            told.append(work)

    async def live():
        async with Database.open(path, schema=schema) as database:
            await asyncio.gather(*(wait_for(database, work) for work in (sqlite3.Connection.close, put(1), put(2))))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as died:
        await live()

    assert died.group_contains(sqlite3.ProgrammingError)
    assert len(told) == 3


async def test_a_program_that_holds_the_file_is_waited_for_and_then_told_of(path, schema, monkeypatch):
    monkeypatch.setattr(limits, "STORE_BUSY_S", 0.01)
    async with Database.open(path, schema=schema) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="another program"):
                await database.write(put(1))
            assert await database.read(numbers) == []
        assert await database.write(put(1)) == 1


async def test_a_second_node_on_the_same_file_is_refused(path, schema):
    async with Database.open(path, schema=schema) as database:
        with pytest.raises(Conflict, match="in use"):
            async with Database.open(path, schema=schema):
                pass
        assert await database.write(put(1)) == 1


async def test_the_files_are_for_their_owner_only(path, schema):
    before = os.umask(0)
    try:
        async with Database.open(path, schema=schema) as database:
            await database.write(put(1))
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob(f"{path.name}*")}
    finally:
        os.umask(before)

    assert set(modes.values()) == {0o600}
    assert len(modes) == 4


async def test_a_quiet_store_empties_its_log(path, schema):
    async with Database.open(path, schema=schema, quiet_s=0.01) as database:
        await database.write(put(1, b"something deleted"))
        await database.write(lambda writer: writer.execute("DELETE FROM note").rowcount)
        log = path.with_name(f"{path.name}-wal")
        while log.stat().st_size > 0:
            await asyncio.sleep(0.01)

        assert b"something deleted" not in path.read_bytes()
        assert await database.write(put(2)) == 1


async def test_files_that_are_copied_while_the_log_holds_commits_have_them(path, schema, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    async with Database.open(path, schema=schema) as database:
        for number in range(20):
            await database.write(put(number))
        log = path.with_name(f"{path.name}-wal")
        assert log.stat().st_size > 0
        for file in (path, log):
            shutil.copy(file, copy)

    async with Database.open(copy / path.name, schema=schema) as database:
        assert await database.read(numbers) == list(range(20))


async def test_another_kind_of_file_is_refused_and_not_touched(path, schema):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE somebody (elses TEXT)")
    before = path.read_bytes()
    with pytest.raises(InvalidConfiguration, match="no notes store"):
        async with Database.open(path, schema=schema):
            pass

    assert path.read_bytes() == before


async def test_a_file_of_a_newer_program_is_refused(path, scripts):
    async with Database.open(path, schema=Schema(name="notes", version=2, scripts=scripts)):
        pass
    with pytest.raises(InvalidConfiguration, match="version 2") as refused:
        async with Database.open(path, schema=Schema(name="notes", version=1, scripts=scripts)):
            pass

    assert "newer gsp-node" in refused.value.hint


@pytest.mark.parametrize("content", [b"this is no database at all" * 200, b"SQLite format 3\0" + b"\xff" * 4_096])
async def test_a_damaged_file_is_told_so(path, schema, content):
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):
        async with Database.open(path, schema=schema):
            pass


async def test_a_folder_that_is_not_there_is_told_so(tmp_path, schema):
    with pytest.raises(StoreUnavailable, match="opened"):
        async with Database.open(tmp_path / "nowhere" / "file.sqlite", schema=schema):
            pass


async def test_a_script_that_fails_leaves_nothing_behind(path, scripts, schema):
    (scripts / "notes-v1.sql").write_text(V1 + "\nCREATE TABLE note (again TEXT);")
    with pytest.raises(Misuse):
        async with Database.open(path, schema=schema):
            pass
    (scripts / "notes-v1.sql").write_text(V1)

    async with Database.open(path, schema=schema) as database:
        assert await database.write(put(1)) == 1


async def test_an_upgrade_copies_first_and_the_copy_has_no_keys(path, scripts, schema):
    async with Database.open(path, schema=schema) as database:
        await database.write(put(1, b"the old note"))
        await database.write(lambda writer: writer.execute("INSERT INTO secret VALUES ('a key')").rowcount)
    upgraded = Schema(name="notes", version=2, left_out=("secret",), scripts=scripts)
    async with Database.open(path, schema=upgraded) as database:
        await database.write(lambda writer: writer.execute("UPDATE note SET author = 'somebody'").rowcount)
        assert await database.read(lambda reader: reader.execute("SELECT * FROM secret").fetchall()) == [("a key",)]

    copy = path.with_name(f"{path.name}-backup-v1")
    assert b"a key" not in copy.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600
    async with Database.open(copy, schema=schema) as database:
        assert await database.read(lambda reader: reader.execute("SELECT * FROM note").fetchall()) == [(1, b"the old note")]


async def test_an_upgrade_that_fails_leaves_the_file_as_it_was(path, scripts, schema):
    async with Database.open(path, schema=schema) as database:
        await database.write(put(1))
    (scripts / "upgrade-notes-to-v2.sql").write_text(V2 + V2)
    with pytest.raises(Misuse):
        async with Database.open(path, schema=Schema(name="notes", version=2, scripts=scripts)):
            pass

    async with Database.open(path, schema=schema) as database:
        assert await database.read(numbers) == [1]


async def test_a_caller_that_is_cancelled_goes_on_only_when_its_change_is_decided(path, schema):
    """Or it would give up its turn while the change is under way, and the next step would decide on what stood there before."""
    async with Database.open(path, schema=schema) as database:
        async with held(database):
            writing = asyncio.create_task(database.write(put(1)))
            await asyncio.sleep(0)
            for _ in range(3):  # whoever is impatient asks more than once
                writing.cancel()
                await asyncio.sleep(0.01)
            assert not writing.done()

        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await database.read(numbers) == [1]
