"""Private halves of prekeys and reply keys, each sealed under the key of its epoch, and the end of an epoch.

Prekeys that end on the same day share an epoch. A reply key has one of its own: it is gone when its query is answered, often a second
after it was made, and must not stay readable until the last of its neighbours has ended. The key of an epoch is destroyed in the
transaction that removes the last private half under it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from federation.ports import Change, DecryptionKey, KeyUse
from node.store.vault import Vault

LEFT_OUT: Final = ("key_epoch", "decryption_key")
"""What no copy of the file holds."""

_DAY_S: Final = 86_400
_EPOCH_COLUMN: Final = "key_epoch.sealed"
_SEED_COLUMN: Final = "decryption_key.sealed"


def change(writer: sqlite3.Connection, changed: Change, vault: Vault) -> None:
    """Put the keys of a change, and destroy what it destroys."""
    for key in changed.keys:
        put(writer, key, vault)
    for key_id in changed.keys_destroyed:
        destroy(writer, key_id)


def put(writer: sqlite3.Connection, key: DecryptionKey, vault: Vault) -> None:
    """Put a key, in the place of one with its id."""
    destroy(writer, key.key_id)
    epoch = _epoch_of(key)
    row = writer.execute("SELECT sealed FROM key_epoch WHERE epoch = ?", (epoch,)).fetchone()
    if row is None:
        inner, sealed = vault.make_inner(column=_EPOCH_COLUMN, row=epoch)
        writer.execute("INSERT INTO key_epoch VALUES (?, ?)", (epoch, sealed))
    else:
        inner = vault.open_inner(row[0], column=_EPOCH_COLUMN, row=epoch)
    seed = inner.seal(key.seed, column=_SEED_COLUMN, row=key.key_id)
    writer.execute(
        "INSERT INTO decryption_key VALUES (?, ?, ?, ?, ?, ?)",
        (key.key_id, key.use, key.created, key.destroy_at, epoch, seed),
    )


def destroy(writer: sqlite3.Connection, key_id: bytes) -> None:
    """Remove a key, and its epoch with the last key of it; `secure_delete` overwrites both rows."""
    removed = writer.execute("DELETE FROM decryption_key WHERE key_id = ? RETURNING epoch", (key_id,)).fetchone()
    if removed is not None:
        writer.execute(_DESTROY_EPOCH, (removed[0], removed[0]))


_DESTROY_EPOCH: Final = (
    "DELETE FROM key_epoch WHERE epoch = ? AND NOT EXISTS"
    " (SELECT 1 FROM decryption_key WHERE decryption_key.epoch = ? AND use = 'prekey')"
)


def read(reader: sqlite3.Connection, vault: Vault) -> tuple[DecryptionKey, ...]:
    """All keys, the oldest first."""
    epochs: dict[bytes, Vault] = {}
    keys: list[DecryptionKey] = []
    for key_id, use, created, destroy_at, epoch, sealed, sealed_epoch in reader.execute(_READ):
        if epoch not in epochs:
            epochs[epoch] = vault.open_inner(sealed_epoch, column=_EPOCH_COLUMN, row=epoch)
        seed = epochs[epoch].open(sealed, column=_SEED_COLUMN, row=key_id)
        keys.append(DecryptionKey(key_id=key_id, use=KeyUse(use), seed=seed, created=created, destroy_at=destroy_at))
    return tuple(keys)


_READ: Final = (
    "SELECT decryption_key.*, key_epoch.sealed FROM decryption_key JOIN key_epoch USING (epoch) ORDER BY created, key_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How many epochs there are, and what should not be: keys past their end, and keys or epochs without each other."""

    epochs: int
    overdue: int
    stray: int


def survey(reader: sqlite3.Connection, *, now: float) -> Survey:
    """Count, without opening anything."""
    epochs: int = reader.execute("SELECT count(*) FROM key_epoch").fetchone()[0]
    overdue: int = reader.execute("SELECT count(*) FROM decryption_key WHERE destroy_at <= ?", (int(now),)).fetchone()[0]
    stray: int = reader.execute(_STRAY).fetchone()[0]
    return Survey(epochs=epochs, overdue=overdue, stray=stray)


_STRAY: Final = (
    "SELECT (SELECT count(*) FROM decryption_key WHERE epoch NOT IN (SELECT epoch FROM key_epoch))"
    " + (SELECT count(*) FROM key_epoch WHERE epoch NOT IN (SELECT epoch FROM decryption_key))"
)


def carry_from_v1(upgrader: sqlite3.Connection, vault: Vault) -> None:
    """Seal what version 1 had under the storage key itself under epochs, and remove it there."""
    for key_id, use, created, destroy_at, sealed in upgrader.execute("SELECT * FROM decryption_key_v1").fetchall():
        seed = vault.open(sealed, column=_SEED_COLUMN, row=key_id)
        put(
            upgrader,
            DecryptionKey(key_id=key_id, use=KeyUse(use), seed=seed, created=created, destroy_at=destroy_at),
            vault,
        )
    upgrader.execute("DROP TABLE decryption_key_v1")


def _epoch_of(key: DecryptionKey) -> bytes:
    if key.use is KeyUse.REPLY:
        return key.key_id
    return (key.destroy_at // _DAY_S).to_bytes(8)
