"""Suspended, reinstated, withdrawn, unconfirmed: what nodes and officers do about it, at whole nodes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from federation.boundary.directory import compose_entry
from federation.errors import FederationError, Forbidden, UnknownParty
from federation.identity import PartyId
from federation.query.lifecycle import AskedState
from federation.trust.entries import Confirm, EntryBody, Reinstate, Suspend, TreatyPolicy, Withdraw
from federation.trust.keys import Signer, SoftwareSigner
from federation.trust.roster import Roster
from tests.support.federation import Federation
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import HOUR, ask, look, question

QM, QN, QO = (PartyId(party) for party in ("qm", "qn", "qo"))


def roster_of(node: SimNode) -> Roster:
    assert node.participant is not None
    return node.participant.registry.roster


def founders(federation: Federation) -> list[Signer]:
    return [SoftwareSigner(seed) for seed in federation.treaty.founded.founder_seeds[:2]]


async def enter(federation: Federation, body: EntryBody, *signers: Signer) -> None:
    assert federation.secretariat.log is not None
    await federation.secretariat.log.append(compose_entry(body, signers))
    await asyncio.sleep(HOUR)


async def suspend(federation: Federation, party: PartyId, serial: int = 1) -> None:
    body = Suspend(created=int(federation.now), serial=serial, party=party, reason="keys in wrong hands")
    await enter(federation, body, *founders(federation))


async def refused(federation: Federation, asking: str, asked: str) -> type[FederationError]:
    with pytest.raises(FederationError) as error:
        await ask(federation[asking], question(PartyId(asked), federation[asked].kit.codes[0]))
    return type(error.value)


@simulated()
async def test_a_suspended_party_is_asked_by_nobody_and_asks_nobody(federation: Federation):
    await suspend(federation, QN)

    assert await refused(federation, "qm", "qn") is Forbidden
    assert await refused(federation, "qn", "qm") is Forbidden
    view = await ask(federation["qm"], question(QO, federation["qo"].kit.codes[0]))
    assert view.answers


@simulated()
async def test_what_was_asked_before_waits_until_the_party_is_reinstated(federation: Federation):
    federation["qn"].crash()
    view = await ask(federation["qm"], question(QN, federation["qn"].kit.codes[0]))
    await suspend(federation, QN)
    await federation.restart(federation["qn"])
    await asyncio.sleep(2 * HOUR)
    waiting = await look(federation["qm"], view.asked.message_id)
    assert waiting.asked.state is AskedState.QUEUED
    assert waiting.asked.problem == "forbidden"
    assert not federation["qn"].storage._received

    await enter(federation, Reinstate(created=int(federation.now), serial=2, party=QN), *founders(federation))
    await asyncio.sleep(HOUR)
    assert (await look(federation["qm"], view.asked.message_id)).answers
    federation["qm"].problems.discard("forbidden")  # or the invariants would take offence


@simulated()
async def test_a_suspended_node_that_does_not_know_it_yet_is_refused_by_the_others(federation: Federation):
    """Its envelope, its receipts, its look for prekeys and patterns; the directory it may read, and learns there what it is."""
    suspended = federation["qn"]
    federation.network.part([suspended.kit.name], [federation.secretariat.name])
    await suspend(federation, QN)
    transport = federation.network.transport(suspended.kit.name, ca=suspended.kit.ca.certificate, clock=suspended.clock)
    assert federation["qm"].participant is not None
    peer = federation["qo"].participant.registry.peer(QM)

    with pytest.raises(Forbidden):
        await transport.bundles(peer)
    with pytest.raises(Forbidden):
        await transport.acknowledge(peer, ())
    with pytest.raises(Forbidden):
        await transport.pattern_set(peer, QM, bytes(32))
    assert roster_of(suspended).party(QN).suspended is not None  # it has read it at a peer


@simulated()
async def test_a_party_that_has_withdrawn_is_known_by_nobody(federation: Federation):
    leaving = federation["qn"]
    digest = roster_of(leaving).party(QN).admit_digest
    await enter(federation, Withdraw(created=int(federation.now), party=QN, admit_digest=digest), leaving.kit.author)

    assert await refused(federation, "qm", "qn") is UnknownParty
    view = await ask(leaving, question(QM, federation["qm"].kit.codes[0]))
    assert view.asked.problem == "unreachable"  # nobody lets it in, so nobody tells it either
    service = federation.network.directory(leaving.kit.name, ca=leaving.kit.ca.certificate, clock=leaving.clock)
    with pytest.raises(FederationError):
        await service.checkpoint(federation["qo"].participant.registry.peer(QM))


@simulated()
async def test_an_unconfirmed_party_is_asked_with_the_officers_word_alone(federation: Federation):
    policy = roster_of(federation["qm"]).governance
    body = TreatyPolicy(
        created=int(federation.now),
        serial=1,
        witness_wait_s=policy.witness_wait_s,
        recovery_wait_s=policy.recovery_wait_s,
        confirmations=2,
    )
    await enter(federation, body, *founders(federation))
    asked = question(QN, federation["qn"].kit.codes[0])
    with pytest.raises(Forbidden, match="not confirmed by 2 other Parties") as refusal:
        await ask(federation["qm"], asked)
    assert "--unconfirmed" in refusal.value.hint
    assert (await ask(federation["qm"], replace(asked, unconfirmed_consent=True))).answers

    digest = roster_of(federation["qm"]).party(QN).admit_digest
    for party in ("qm", "qo"):
        confirm = Confirm(created=int(federation.now), party=PartyId(party), subject=QN, admit_digest=digest)
        await enter(federation, confirm, federation[party].kit.author)
    assert (await ask(federation["qm"], question(QN, federation["qn"].kit.codes[1]))).answers
