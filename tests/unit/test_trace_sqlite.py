"""What the SQLite file adds to the contract: it lasts, it is refused when it is not ours, and no thread stays behind."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from federation.errors import InvalidConfiguration, StoreUnavailable
from federation.uim.codes import Level
from node.store.trace import SqliteTrace
from node.trace.events import Issuance, Report
from node.trace.model import Coverage, Operator

ISSUED = Report(event=Issuance(event_id="I", event_time=1, record_time=1, level=Level.UNIT, issuer="QN"), codes=("P1",))


async def test_everything_is_there_after_closing_and_opening_again(tmp_path):
    path = tmp_path / "trace.db"
    async with SqliteTrace.open(path) as store:
        await store.put([ISSUED])
        await store.mark_complete(5)
    async with SqliteTrace.open(path) as store:
        gathered = await store.gather(["P1"])

    assert gathered.events == {"P1": (ISSUED.event,)}
    assert gathered.coverage == Coverage(complete_as_of=5)


async def test_no_thread_outlives_the_block(tmp_path):
    before = threading.active_count()
    async with SqliteTrace.open(tmp_path / "trace.db") as store:
        await store.gather(["P1"])

    assert threading.active_count() == before


async def test_a_file_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")

    with pytest.raises(InvalidConfiguration):
        async with SqliteTrace.open(path):
            pass


async def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    path = tmp_path / "trace.db"
    path.write_bytes(b"this is no database at all, and long enough to be looked at as one" * 20)

    with pytest.raises(StoreUnavailable):
        async with SqliteTrace.open(path):
            pass


async def test_an_unreadable_event_makes_the_look_up_unavailable_and_not_empty(tmp_path):
    path = tmp_path / "trace.db"
    async with SqliteTrace.open(path) as store:
        await store.put([ISSUED])
    with closing(sqlite3.connect(path)) as broken:
        broken.execute("UPDATE event SET body = '{}'")
        broken.commit()

    async with SqliteTrace.open(path) as store:
        with pytest.raises(StoreUnavailable):
            await store.gather(["P1"])


async def test_a_full_disk_files_nothing_and_reads_on(tmp_path):
    path = tmp_path / "trace.db"
    async with SqliteTrace.open(path) as store:
        await store.put([ISSUED])
        await store._database.write(lambda writer: writer.execute("PRAGMA max_page_count = 1"))
        with pytest.raises(StoreUnavailable):
            await store.put_references([Operator(operator_id=f"O{number}", name="N" * 1_000) for number in range(100)])

        assert (await store.gather(["P1"])).events == {"P1": (ISSUED.event,)}
