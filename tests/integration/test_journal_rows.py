"""A row of the journal is rewritten, swapped or deleted in the SQLite file of one node: the node finds it, and so does its peer."""

from __future__ import annotations

import asyncio
import copy
import os
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import Any

import pytest

from federation.boundary.accounts import read_contradiction
from federation.evidence.account import DifferenceKind, Judgement
from federation.evidence.journal import JournalKind, leaf_hash
from federation.ports import Change, Direction, Peer
from federation.query.codes import Automation
from federation.trust import merkle
from federation.wire.evidence import decode_record
from node.cli.examination import _journal
from node.rpc.channels import Channels
from node.rpc.interceptors import node_chain
from node.rpc.reconciliation import GrpcReconciliation, ReconciliationServicer
from node.rpc.server import serving
from node.rpc.tls import ServerTls
from node.store.exchange import SqliteExchange
from node.store.journal_check import survey_journal
from node.store.vault import Vault
from node.use_cases.accounting import Accounting
from node.use_cases.desk_values import Health
from node.use_cases.reconciling import Reconciling
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World
from tests.support.federation import federating
from tests.support.memory_stores import MemoryDirectory
from tests.support.rpc import QM, QN, WALL_CLOCK, Treaty, snapshot_of
from tests.support.simulated import SETTLING_S
from tests.support.simulated_node import Storage
from tests.support.simulated_officers import DAY, ask, question
from tests.support.virtual_clock import VirtualLoop, run_virtual


class Later:
    """The clock of two days after the traffic."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        self._at += 1
        return self._at


class NobodyResends:
    async def again(self, _peer, _message_id) -> bool:
        return False


@pytest.fixture(scope="module")
def crossed():
    """Two nodes after some messages, as their disks are."""

    async def main(loop: VirtualLoop) -> Any:
        async with federating(loop, parties=2, automation=lambda _number: Automation.MANUAL) as federation:
            await asyncio.sleep(SETTLING_S)
            asker, answerer = federation["qm"], federation["qn"]
            for code in answerer.kit.codes[:6]:
                await ask(asker, question(answerer.party, code))
            await asyncio.sleep(5)
            return federation, asker, answerer, federation.now + 2 * DAY

    return run_virtual(main, 0)


def vault() -> Vault:
    return Vault(b"k" * 32, entropy=os.urandom)


async def written(crossed, path) -> int:
    """The answerer's exchange as a real file; gives a record in the middle that its peer holds a receipt for."""
    _, _, answerer, _ = crossed
    storage = answerer.storage
    async with SqliteExchange.open(path, vault=vault()) as store:
        await store.commit(Change(leaves=tuple(storage._leaves)))
        await store.commit(Change(crossings=tuple(storage._crossings.values())))
    places = [place for place, leaf in enumerate(storage._leaves) if decode_record(leaf.content).kind is JournalKind.RECEIVED]
    return next(place for place in places[1:] if place % 2 == 0)


@asynccontextmanager
async def over_real_connections(asker, answerer, handler):
    """The service over mTLS on loopback, whatever address the directory of the simulation names."""
    treaty = Treaty()
    tls = ServerTls(snapshot_of(treaty, treaty.credential(answerer.kit.name), (QM, QN)))
    routes = ReconciliationServicer(handler).routes()
    chain = node_chain(tls=tls, clock=WALL_CLOCK, timer=time.monotonic)
    async with (
        serving("127.0.0.1:0", credentials=tls.node_credentials(), routes=routes, interceptors=chain) as port,
        Channels(own=treaty.credential(asker.kit.name), clock=WALL_CLOCK) as channels,
    ):
        anchors = (treaty.ca(answerer.party).certificate,)
        there = Peer(name=answerer.kit.name, endpoint=f"127.0.0.1:{port}", anchors=anchors)
        calls = GrpcReconciliation(channels)

        class There:
            async def reconcile(self, _peer, account, sizes):
                return await calls.reconcile(there, account, sizes)

            async def list_day(self, _peer, *, day, way, after):
                return await calls.list_day(there, day=day, way=way, after=after)

        yield There()


@asynccontextmanager
async def directly(asker, _answerer, handler):
    class Direct:
        async def reconcile(self, _peer, account, sizes):
            return await handler.reconcile(asker.kit.name, account, sizes)

        async def list_day(self, _peer, *, day, way, after):
            return await handler.list_day(asker.kit.name, day=day, way=way, after=after)

    yield Direct()


async def visited(crossed, path, *, way=directly):
    """What the asker finds when it asks the answerer, whose exchange is the file."""
    federation, asker, answerer, at = crossed
    clock = Later(at)
    world = World(clock=clock, entropy=os.urandom)
    registry = Registry(federation.treaty.replica, MemoryDirectory(), clock)

    def accounting(node, store) -> Accounting:
        own = Own(party=node.party, name=node.kit.name, signer=node.kit.signer)
        return Accounting(own=own, world=world, store=store, journal=store, registry=registry)

    async with (
        SqliteExchange.open(path, vault=vault()) as store,
        way(asker, answerer, accounting(answerer, store)) as service,
    ):
        storage = Storage(asker.faults)
        vars(storage).update(copy.deepcopy({name: value for name, value in vars(asker.storage).items() if name.startswith("_")}))
        reconciling = Reconciling(
            own=Own(party=asker.party, name=asker.kit.name, signer=asker.kit.signer),
            world=world,
            store=storage,
            exchange_store=storage,
            service=service,
            registry=registry,
            accounting=accounting(asker, storage),
            resending=NobodyResends(),
        )
        await reconciling.look()
        found = await storage.findings(answerer.party)
        (standing,) = await storage.standings()
        return found, standing


def edited(path, *statements: tuple[str, tuple]) -> None:
    """Whoever has the disk is not kept by triggers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER leaf_is_not_changed")
        connection.execute("DROP TRIGGER leaf_is_not_removed")
        for statement, values in statements:
            connection.execute(statement, values)


def row(path, position: int) -> tuple[bytes, bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT salt, content FROM leaf WHERE position = ?", (position,)).fetchone()


def make_tree_again(path) -> None:
    """All hashes, so that the file holds in itself."""
    frontier = merkle.Frontier()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for position, salt, content in connection.execute(
            "SELECT position, salt, content FROM leaf ORDER BY position"
        ).fetchall():
            frontier, completed = frontier.append(leaf_hash(salt=salt, content=content))
            nodes = b"".join(value for _, _, value in completed)
            connection.execute("UPDATE leaf SET nodes = ? WHERE position = ?", (nodes, position))


def check_alarms(crossed, found, *judgements: Judgement) -> None:
    _, _, alarms = found
    federation, _, answerer, _ = crossed
    assert {alarm.judgement for alarm in alarms} == set(judgements)
    for alarm in alarms:
        assert read_contradiction(alarm.proof, roster=federation.treaty.replica.roster) == (answerer.kit.name, alarm.judgement)


async def test_a_file_that_nobody_touched_holds(crossed, tmp_path):
    path = tmp_path / "exchange.sqlite"
    await written(crossed, path)

    (days, differences, alarms), standing = await visited(crossed, path)
    assert (differences, alarms, standing.problem) == ((), (), "")
    assert [(day.sent, day.they_have, day.agreed) for day in days] == [(6, 6, True)]
    survey = survey_journal(path)
    assert survey.problems == ()
    assert survey.records == len(crossed[2].storage._leaves)
    assert [check.health for check in _journal(path)] == [Health.GOOD]


async def test_a_message_that_is_missing_is_named_over_real_connections(crossed, tmp_path):
    """Both calls over mTLS: accounts, proofs and listings cross as bytes."""
    path = tmp_path / "exchange.sqlite"
    await written(crossed, path)
    lost = min(message_id for way, message_id in crossed[2].storage._crossings if way is Direction.RECEIVED)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM crossing WHERE message_id = ?", (lost,))

    (days, (difference,), alarms), standing = await visited(crossed, path, way=over_real_connections)
    assert (alarms, standing.problem) == ((), "")
    assert standing.account is not None
    assert (difference.kind, difference.message_id) == (DifferenceKind.LOST_THERE, lost)
    assert [(day.sent, day.they_have, day.received, day.they_sent) for day in days] == [(6, 5, 0, 0)]


@pytest.mark.parametrize("anew", [False, True])
async def test_a_rewritten_journal_row_is_found(crossed, tmp_path, anew):
    path = tmp_path / "exchange.sqlite"
    place = await written(crossed, path)
    content = row(path, place)[1]
    edited(path, ("UPDATE leaf SET content = ? WHERE position = ?", (content.replace(b"qm", b"qo"), place)))
    if anew:
        make_tree_again(path)

    found, standing = await visited(crossed, path)
    check_alarms(crossed, found, Judgement.REWRITTEN)
    assert standing.problem == ""
    told = survey_journal(path).problems
    assert told == (() if anew else (f"record {place} is not the one that was written",))
    assert [check.health for check in _journal(path)] == [Health.GOOD if anew else Health.BAD]


@pytest.mark.parametrize("anew", [False, True])
async def test_two_swapped_journal_rows_are_found(crossed, tmp_path, anew):
    path = tmp_path / "exchange.sqlite"
    place = await written(crossed, path)
    first, second = row(path, place), row(path, place - 1)
    edited(
        path,
        ("UPDATE leaf SET salt = ?, content = ? WHERE position = ?", (*second, place)),
        ("UPDATE leaf SET salt = ?, content = ? WHERE position = ?", (*first, place - 1)),
    )
    if anew:
        make_tree_again(path)

    check_alarms(crossed, (await visited(crossed, path))[0], Judgement.REWRITTEN)
    problems = survey_journal(path).problems
    assert any(str(place) in problem for problem in problems)


async def test_a_deleted_journal_row_is_found(crossed, tmp_path):
    path = tmp_path / "exchange.sqlite"
    place = await written(crossed, path)
    edited(path, ("DELETE FROM leaf WHERE position = ?", (place,)))

    found, _ = await visited(crossed, path)
    check_alarms(crossed, found, Judgement.NOT_SHOWN)
    assert survey_journal(path).problems[0] == f"1 records before record {place + 1} are missing"


async def test_a_journal_whose_end_was_deleted_is_found(crossed, tmp_path):
    path = tmp_path / "exchange.sqlite"
    await written(crossed, path)
    edited(path, ("DELETE FROM leaf WHERE position >= 3", ()))

    found, _ = await visited(crossed, path)
    check_alarms(crossed, found, Judgement.SHORTENED)


async def test_a_journal_that_was_put_back_by_hand_and_grew_again_is_found(crossed, tmp_path):
    path = tmp_path / "exchange.sqlite"
    await written(crossed, path)
    edited(path, ("DELETE FROM leaf WHERE position >= 3", ()))
    async with SqliteExchange.open(path, vault=vault()) as store:
        leaves = [replace(leaf, salt=os.urandom(32)) for leaf in crossed[2].storage._leaves]
        await store.commit(Change(leaves=tuple(leaves)))

    found, _ = await visited(crossed, path)
    check_alarms(crossed, found, Judgement.REWRITTEN)
