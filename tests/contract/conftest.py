"""Every contract is kept in memory, over SQLite, and over SQLite after the file was closed and opened between writing and reading."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from federation.ports import ExchangeStore
from node.store.directory import SqliteDirectory
from node.store.enrolment import SqliteEnrolments
from node.store.exchange import SqliteExchange
from node.store.officers import SqliteOfficers
from node.store.patterns import SqlitePatterns
from node.store.spool import FolderSpool
from node.store.vault import Vault
from node.use_cases.recent import Recent
from tests.support.memory_officers import MemoryOfficers
from tests.support.memory_spool import MemorySpool
from tests.support.memory_stores import MemoryDirectory, MemoryEnrolments, MemoryExchange, MemoryPatterns
from tests.support.opened import Opened, kept

KINDS = ["memory", "sqlite", "sqlite opened again"]


class Remembering(Recent):
    """The exchange as use cases write and read it, with the other ports of the same file."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@asynccontextmanager
async def remembering(opened: AbstractAsyncContextManager[ExchangeStore]) -> AsyncIterator[Remembering]:
    async with opened as store:
        yield Remembering(store)


@pytest.fixture(params=[*KINDS, "remembered"])
def exchange(request, tmp_path):
    if request.param == "memory":
        return Opened(kept(MemoryExchange()), reopens=False)
    vault = Vault(b"k" * 32, entropy=os.urandom)
    if request.param == "remembered":
        return Opened(lambda: remembering(SqliteExchange.open(tmp_path / "exchange.sqlite", vault=vault)), reopens=False)
    return Opened(partial(SqliteExchange.open, tmp_path / "exchange.sqlite", vault=vault), reopens="again" in request.param)


@pytest.fixture(params=KINDS)
def directory(request, tmp_path):
    if request.param == "memory":
        return Opened(kept(MemoryDirectory()), reopens=False)
    return Opened(partial(SqliteDirectory.open, tmp_path / "directory.sqlite"), reopens="again" in request.param)


@pytest.fixture(params=KINDS)
def patterns(request, tmp_path):
    if request.param == "memory":
        return Opened(kept(MemoryPatterns()), reopens=False)
    return Opened(partial(SqlitePatterns.open, tmp_path / "patterns.sqlite"), reopens="again" in request.param)


@pytest.fixture(params=KINDS)
def enrolments(request, tmp_path):
    if request.param == "memory":
        return Opened(kept(MemoryEnrolments()), reopens=False)
    return Opened(partial(SqliteEnrolments.open, tmp_path / "enrolment.sqlite"), reopens="again" in request.param)


@pytest.fixture(params=KINDS)
def officers(request, tmp_path):
    if request.param == "memory":
        return Opened(kept(MemoryOfficers()), reopens=False)
    vault = Vault(b"k" * 32, entropy=os.urandom)
    return Opened(partial(SqliteOfficers.open, tmp_path / "officers.sqlite", vault=vault), reopens="again" in request.param)


@pytest.fixture(params=KINDS)
def spool(request, tmp_path):
    if request.param == "memory":
        return Opened(kept(MemorySpool()), reopens=False)
    return Opened(kept(FolderSpool(tmp_path / "attachments")), reopens="again" in request.param)
