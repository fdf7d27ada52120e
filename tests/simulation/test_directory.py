"""The directory while everything runs: an entry reaches everybody, is witnessed by all, and is read at peers when it has to be."""

from __future__ import annotations

import asyncio

import pytest

from federation.boundary.directory import cosigners
from federation.errors import Forbidden
from federation.trust.entries import Update
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import Roster
from node.use_cases.announcing import Particulars, announce, wanted_update
from tests.support.federation import Federation
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import HOUR


def roster_of(node: SimNode) -> Roster:
    assert node.participant is not None
    return node.participant.registry.roster


def new_name(node: SimNode, name: str) -> Update:
    """What the Party says of itself when it has another name."""
    says = Particulars(name=name, region=False)
    update = wanted_update(roster_of(node), node.party, says, now=int(node.clock.now()))
    assert update is not None
    return update


async def submit(federation: Federation, node: SimNode, update: Update, signer: SoftwareSigner) -> None:
    """As the Party's administrator does it."""
    assert node.participant is not None
    service = federation.network.directory(node.kit.name, ca=node.kit.ca.certificate, clock=node.clock)
    await announce(node.participant.registry, service, federation.secretariat.as_peer(), bodies=[update], signer=signer)


@simulated()
async def test_an_entry_reaches_every_node_and_every_node_witnesses_it(federation: Federation):
    author = federation["qm"]
    size = roster_of(author).size

    await submit(federation, author, new_name(author, "Another name"), author.kit.author)
    await asyncio.sleep(2 * HOUR)

    for node in federation.nodes.values():
        assert roster_of(node).size == size + 1
        assert roster_of(node).party(author.party).name == "Another name"
    log = federation.secretariat.log
    assert log is not None
    replica = log._registry.replica
    assert {one.name for one in cosigners(replica.roster, replica.note)} == {
        node.kit.name.dns for node in federation.nodes.values()
    }


@simulated()
async def test_a_node_that_cannot_reach_the_secretariat_reads_the_log_at_a_peer(federation: Federation):
    author, apart = federation["qm"], federation["qo"]
    federation.network.part([apart.kit.name], [federation.secretariat.name])

    await submit(federation, author, new_name(author, "Another name"), author.kit.author)
    await asyncio.sleep(3 * HOUR)

    assert roster_of(apart).party(author.party).name == "Another name"


@simulated()
async def test_an_entry_of_somebody_else_is_not_logged(federation: Federation):
    author, forger = federation["qm"], federation["qn"]
    size = roster_of(author).size

    with pytest.raises(Forbidden, match="own key"):
        await submit(federation, forger, new_name(author, "A bad name"), forger.kit.author)
    await asyncio.sleep(2 * HOUR)

    assert roster_of(author).size == size


@simulated()
async def test_a_secretariat_that_comes_back_knows_its_log_and_takes_entries_again(federation: Federation):
    author = federation["qm"]
    federation.secretariat.go_away()
    await asyncio.sleep(24 * HOUR)
    await federation.secretariat.come_back()

    await submit(federation, author, new_name(author, "Another name"), author.kit.author)
    await asyncio.sleep(2 * HOUR)

    assert {roster_of(node).party(author.party).name for node in federation.nodes.values()} == {"Another name"}
