"""What a kind of file looks like: commented scripts, a version in the file, a copy before each upgrade.

The scripts of the kind `exchange` are `exchange-v1.sql`, which makes a new file, and from the second version on
`upgrade-exchange-to-v2.sql` and so on, each of which takes a file one version further. What a script cannot do, because it takes
a key, a function carries over in the same transaction. A file is made and upgraded in one transaction, so there is never half of
one. A file of another kind or of an unknown version is refused and not touched.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeAlias

from federation.errors import InvalidConfiguration

Carry: TypeAlias = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One kind of file.

    Attributes:
        name: of the kind; the beginning of the names of its scripts.
        version: that this program reads and writes.
        left_out: tables that are empty in every copy: keys that have to be gone when they are destroyed.
        carries: what is done after the script that leads to a version, in its transaction.
        scripts: the folder with the scripts.
    """

    name: str
    version: int
    left_out: tuple[str, ...] = ()
    carries: Mapping[int, Carry] = field(default_factory=dict)
    scripts: Traversable = field(default_factory=lambda: files("node.store"))

    @property
    def application_id(self) -> int:
        """Marks a file as one of this kind: 31 bits, as SQLite keeps them."""
        return zlib.crc32(f"gsp {self.name}".encode()) & 0x7FFF_FFFF

    def script(self, name: str) -> str:
        """The text of a script."""
        return (self.scripts / name).read_text(encoding="utf-8")


def check(connection: sqlite3.Connection, path: Path, schema: Schema, *, only_this_version: bool = False) -> None:
    """Return when the file is new or one of this kind that this program can read. Nothing is written.

    Args:
        connection: to the file.
        path: of the file.
        schema: the kind of file it has to be.
        only_this_version: for whoever does not upgrade it: a new file and an older one are refused as well.

    Raises:
        InvalidConfiguration: the file is of another kind, or another program wrote it.
        sqlite3.Error: see `node.store.database`.
    """
    version = _version(connection)
    if only_this_version and version < schema.version:
        raise InvalidConfiguration(
            f"{path.name} is no {schema.name} store of this version", hint="start its node once: it brings the file up to date"
        )
    if version == 0 and _number(connection, "SELECT count(*) FROM sqlite_master") == 0:
        return
    if version == 0 or _number(connection, "PRAGMA application_id") != schema.application_id:
        raise InvalidConfiguration(
            f"{path.name} is no {schema.name} store of this program", hint="name another file or folder in the configuration"
        )
    if version > schema.version:
        raise InvalidConfiguration(
            f"{path.name} has version {version}, and this program knows up to {schema.version}",
            hint="run the newer gsp-node that wrote it, or put back the copy that was made before the upgrade",
        )


def prepare(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Make the tables in a new file; copy and upgrade an old one. The file has been checked.

    Raises:
        sqlite3.Error: see `node.store.database`.
        FederationError: what carries something over says why it cannot; the file is as it was.
    """
    version = _version(connection)
    if version == 0:
        _run(connection, schema, schema.script(f"{schema.name}-v{schema.version}.sql"), schema.version)
        return
    for older in range(version, schema.version):
        copy(connection, path.with_name(f"{path.name}-backup-v{older}"), schema)
        script = schema.script(f"upgrade-{schema.name}-to-v{older + 1}.sql")
        _run(connection, schema, script, older + 1, carry=schema.carries.get(older + 1))


def _version(connection: sqlite3.Connection) -> int:
    return _number(connection, "PRAGMA user_version")


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def _run(connection: sqlite3.Connection, schema: Schema, script: str, version: int, *, carry: Carry | None = None) -> None:
    """Script, what is carried over, and version number in one transaction."""
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}")
        if carry is not None:
            carry(connection)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def copy(connection: sqlite3.Connection, target: Path, schema: Schema) -> None:
    """A whole copy of an open file, or none: it gets its name when it is complete. It is one file, without a log beside it."""
    partial = target.with_name(f"{target.name}-partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with closing(sqlite3.connect(partial, isolation_level=None)) as copied:
        connection.backup(copied)
        copied.execute("PRAGMA secure_delete = ON")
        there = {name for (name,) in copied.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in schema.left_out:
            if table in there:  # an older version may not have had it
                copied.execute(f"DELETE FROM {table}")  # noqa: S608  # a name from our own code
        copied.execute("PRAGMA journal_mode = DELETE")
    partial.replace(target)
