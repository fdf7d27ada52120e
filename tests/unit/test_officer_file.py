"""The officers' file: who writes to the disk without the storage key makes no officer and grants no right."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from federation import limits
from federation.errors import StoreUnavailable
from node.store.officers import SqliteOfficers
from node.store.vault import Vault
from node.use_cases.officers import Officer, OfficerChange, OfficerInvitation, OfficerState, all_rights
from tests.support.memory_officers import CUSTOMS
from tests.support.samples import some

VAULT = Vault(b"k" * 32, entropy=os.urandom)


def officer(officer_id: str, **fields) -> Officer:
    values = {
        "name": "Ada Example",
        "authority": CUSTOMS,
        "state": OfficerState.INVITED,
        "created": 1,
        "life_s": limits.OFFICER_CERTIFICATE_LIFE_S,
        "invitation": OfficerInvitation(token_hash=some(officer_id), expires=9),
    }
    return Officer(officer_id=officer_id, **{**values, **fields})


async def written(path, *officers: Officer, vault: Vault = VAULT) -> None:
    async with SqliteOfficers.open(path, vault=vault) as store:
        await store.commit(OfficerChange(officers=tuple((None, one) for one in officers)))


def changed(path, statement: str, *values) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


async def test_rights_of_one_officer_are_not_moved_to_another(tmp_path):
    path = tmp_path / "officers.sqlite"
    await written(path, officer("aaaaaaaa", grants=all_rights(CUSTOMS)), officer("bbbbbbbb"))
    changed(
        path,
        "UPDATE officer SET sealed = (SELECT sealed FROM officer WHERE officer_id = 'aaaaaaaa') WHERE officer_id = 'bbbbbbbb'",
    )
    async with SqliteOfficers.open(path, vault=VAULT) as store:
        with pytest.raises(StoreUnavailable, match="does not open"):
            await store.officer("bbbbbbbb")


async def test_an_officer_that_somebody_wrote_without_the_storage_key_is_none(tmp_path):
    path, thief = tmp_path / "officers.sqlite", tmp_path / "thief.sqlite"
    await written(path, officer("aaaaaaaa"))
    await written(thief, officer("cccccccc", grants=all_rights(CUSTOMS)), vault=Vault(bytes(32), entropy=os.urandom))
    with closing(sqlite3.connect(thief)) as connection:
        row = connection.execute("SELECT * FROM officer").fetchone()
    changed(path, "INSERT INTO officer VALUES (?, ?, ?, ?)", *row)
    async with SqliteOfficers.open(path, vault=VAULT) as store:
        with pytest.raises(StoreUnavailable):
            await store.officer("cccccccc")
        with pytest.raises(StoreUnavailable):
            await store.by_token(some("cccccccc"))


async def test_a_token_that_was_written_beside_an_officer_is_not_that_officers(tmp_path):
    path = tmp_path / "officers.sqlite"
    await written(path, officer("aaaaaaaa"))
    changed(path, "UPDATE officer SET token_hash = ?", some("forged"))
    async with SqliteOfficers.open(path, vault=VAULT) as store:
        found = await store.by_token(some("forged"))
    assert found.invitation.token_hash == some("aaaaaaaa")
