"""The directory over real mTLS and real SQLite: published by witnesses, forked and proven, revoked on sight, left for good."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from federation.errors import FederationError, Forbidden, Unauthentic, UnknownParty, Unreachable
from federation.identity import PartyId
from federation.ports import Notice, NoticeKind
from federation.trust.entries import RevokedKind
from node.rpc.channels import Channels
from node.rpc.directory import GrpcDirectory
from node.use_cases.announcing import follow_until
from tests.support import acts
from tests.support.real_directory import credential, federation, node_of, office_of, valid_treaty
from tests.support.rpc import WALL_CLOCK

QM, QN, QO, QP = (PartyId(party) for party in ("qm", "qn", "qo", "qp"))


async def test_an_entry_is_submitted_cosigned_by_all_witnesses_and_followed(tmp_path):
    treaty = valid_treaty("qm", "qn", "qo", "qp", witnesses=("qm", "qn", "qo"))
    async with federation(treaty, tmp_path, QM, QN, QO, QP) as (office, nodes):
        author = nodes[QP]
        index = await author.service.submit(office.peer, acts.update(treaty, author.material).leaf)
        assert not await author.follow()

        waiting = follow_until(author.registry, author.service, office.peer, size=index + 1)
        duties = (nodes[party].witness.attend(office.peer) for party in (QM, QN, QO))
        await asyncio.gather(waiting, *duties)

        assert author.registry.roster.party(QP).update is not None


async def test_a_fork_is_found_proven_and_told_to_every_node(tmp_path):
    treaty = valid_treaty("qm", "qn", "qo", "qp")
    (tmp_path / "fork").mkdir()
    async with federation(treaty, tmp_path, QN, QO, QP) as (office, nodes), AsyncExitStack() as stack:
        fork = await office_of(stack, treaty, tmp_path / "fork" / "log.sqlite")
        target = await node_of(stack, treaty, QM, tmp_path / "qm.sqlite", fork.peer)
        await fork.append(acts.update(treaty, treaty.parties[QP]))
        await office.append(acts.update(treaty, treaty.parties[QO]))
        for node in (target, *nodes.values()):
            await node.follow()

        nodes[QN].registry.hear(target.registry.head, QM)
        await nodes[QN].gossip.look()
        await nodes[QN].gossip.tell()

        for node in (target, *nodes.values()):
            assert len(node.notices.splits) == 1
        assert len(office.notices.splits) == 1
        await office.append(acts.update(treaty, treaty.parties[QN]))
        with pytest.raises(Unauthentic, match="two directories"):
            await nodes[QO].follow()


async def test_the_certificate_of_a_withdrawn_party_is_refused(tmp_path):
    """On the connection that it has, and on every new one."""
    treaty = valid_treaty("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (office, nodes):
        leaving, staying = nodes[QN], nodes[QM]
        await leaving.service.checkpoint(treaty.parties[QM].peer)
        await office.append(acts.withdraw(treaty, leaving.material))
        await staying.follow()

        with pytest.raises(Unauthentic):
            await leaving.service.checkpoint(treaty.parties[QM].peer)
        async with Channels(own=credential(leaving.material), clock=WALL_CLOCK) as channels:
            with pytest.raises(Unreachable):
                await GrpcDirectory(channels).checkpoint(treaty.parties[QM].peer)
        with pytest.raises(UnknownParty):
            staying.registry.peer(QN)


async def test_a_suspended_party_reads_the_directory_and_is_exchanged_with_by_nobody(tmp_path):
    treaty = valid_treaty("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (office, nodes):
        await office.append(acts.suspend(treaty, QN, serial=1))
        await nodes[QM].follow()

        await nodes[QN].service.checkpoint(treaty.parties[QM].peer)
        assert await nodes[QN].follow()
        with pytest.raises(Forbidden):
            nodes[QM].registry.peer(QN)


async def test_a_revoked_ca_is_refused_at_the_next_call_though_the_log_does_not_hold_it(tmp_path):
    treaty = valid_treaty("qm", "qn", "qo")
    async with federation(treaty, tmp_path, QM, QN, QO) as (_, nodes):
        stolen, told = nodes[QN], nodes[QM]
        await stolen.service.checkpoint(treaty.parties[QM].peer)
        leaf = acts.revoke(treaty, stolen.material, RevokedKind.PARTY_CA).leaf
        await nodes[QO].service.tell(treaty.parties[QM].peer, Notice(kind=NoticeKind.REVOCATION, raw=leaf))

        assert QN not in told.registry.roster.anchors()
        with pytest.raises(Unauthentic):
            await stolen.service.checkpoint(treaty.parties[QM].peer)
        assert await nodes[QO].service.notices(treaty.parties[QM].peer) == (Notice(kind=NoticeKind.REVOCATION, raw=leaf),)


@pytest.mark.parametrize("notice", [Notice(kind=kind, raw=b"junk") for kind in NoticeKind], ids=str)
async def test_a_notice_that_proves_nothing_is_refused_over_the_wire(tmp_path, notice):
    treaty = valid_treaty("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (_, nodes):
        with pytest.raises(FederationError):
            await nodes[QN].service.tell(treaty.parties[QM].peer, notice)

        assert await nodes[QN].service.notices(treaty.parties[QM].peer) == ()


async def test_a_partys_node_has_nothing_pending_and_takes_no_cosignature(tmp_path):
    treaty = valid_treaty("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (_, nodes):
        for call in (nodes[QN].service.pending(treaty.parties[QM].peer), nodes[QN].service.cosign(treaty.parties[QM].peer, b"")):
            with pytest.raises(Forbidden):
                await call
