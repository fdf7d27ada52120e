"""A directory file of version 0.1.0 is copied, upgraded, and then like a new one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from federation.ports import Cosigned
from node.store.directory import SCHEMA, SqliteDirectory
from tests.support.treaty import Treaty

SINCE_VERSION_2 = "-- What this node has cosigned"


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}


def old_file(path: Path) -> None:
    """As the first version of the program made it."""
    script = (files("node.store") / "directory-v2.sql").read_text(encoding="utf-8").partition(SINCE_VERSION_2)[0]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"{script} PRAGMA application_id = {SCHEMA.application_id}; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"
        )


async def test_the_log_is_kept_and_what_is_new_is_empty(tmp_path):
    treaty = Treaty.make()
    treaty.admit("qm")
    old, new = tmp_path / "directory.sqlite", tmp_path / "new.sqlite"
    old_file(old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("INSERT INTO checkpoint VALUES (1, ?)", (treaty.checkpoint(0),))
        connection.commit()

    async with SqliteDirectory.open(old) as store:
        assert await store.checkpoint() == treaty.checkpoint(0)
        assert await store.cosigned() is None
        assert await store.published() is None
        assert await store.notices() == ()
        assert not await store.restored()
        await store.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())
        await store.put_cosigned(Cosigned(size=3, root=bytes(32), checkpoint=b"note"))
    async with SqliteDirectory.open(new):
        pass

    assert tables(old) == tables(new)
    assert tables(tmp_path / "directory.sqlite-backup-v1") < tables(new)
