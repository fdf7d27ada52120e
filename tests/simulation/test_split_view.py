"""A Secretariat that shows one node another directory than all others: found in ordinary traffic, proven, and told to everybody.

What counts is the number of envelopes that it takes, and not the time: nobody looks for it, and nothing is sent on its account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from federation.boundary.directory import compose_entry
from federation.errors import Unauthentic
from federation.identity import NodeName, PartyId
from federation.trust.entries import Update
from node.rpc.calls import Call, Handler
from node.rpc.directory import DirectoryServicer
from node.use_cases.announcing import Particulars, wanted_update
from node.use_cases.log import Log
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry
from tests.support.federation import Federation, federating
from tests.support.memory_stores import MemoryDirectory
from tests.support.network import Site
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import HOUR, ask, question
from tests.support.virtual_clock import VirtualLoop, WallClock, run_virtual

PARTIES = 70
TARGET = PartyId("xf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How it went.

    Attributes:
        envelopes: that crossed between any two nodes before somebody had the proof.
        asked: envelopes that the targeted node had a part in.
    """

    envelopes: int
    asked: int


async def split(federation: Federation, target: SimNode) -> None:
    """From now on the Secretariat keeps two logs under its one key, and shows the second one to one node alone."""
    secretariat, treaty = federation.secretariat, federation.treaty
    copy = MemoryDirectory()
    await copy.append(first=0, leaves=treaty.leaves, checkpoint=treaty.checkpoint)
    registry = await Registry.load(copy, treaty.founded.digest, WallClock(federation.loop))
    fork = await Log.load(registry=registry, publications=copy, signer=treaty.log_signer)
    notices = await Notices.load(registry, copy, WallClock(federation.loop))
    assert secretariat.log is not None
    assert secretariat.notices is not None
    await secretariat.log.append(renamed(federation, "The true name"))
    await fork.append(renamed(federation, "The false name"))
    true, false = DirectoryServicer(secretariat.log, secretariat.notices).routes(), DirectoryServicer(fork, notices).routes()
    routes = {path: two_faced(true[path], false[path], target.kit.name) for path in true}
    anchors = federation.secretariat.log._registry.roster.anchors
    assert federation._group is not None
    federation.network.attach(
        Site(
            name=secretariat.name,
            ca=treaty.founded.ca,
            routes=routes,
            anchors=anchors,
            spawn=federation._group.create_task,
        )
    )


def two_faced(true: Handler, false: Handler, target: NodeName) -> Handler:
    async def handle(call: Call) -> bytes:
        return await (false if call.sender == target else true)(call)

    return handle


def renamed(federation: Federation, name: str) -> bytes:
    """An update of one Party that anybody could have wanted."""
    node = federation["qm"]
    assert node.participant is not None
    says = Particulars(name=name, region=False)
    update: Update | None = wanted_update(node.participant.registry.roster, node.party, says, now=int(federation.now))
    assert update is not None
    return compose_entry(update, [node.kit.author])


async def traffic(federation: Federation, until: Callable[[], bool]) -> None:
    """Officers of Parties drawn by lot ask Parties drawn by lot, one after the other."""
    nodes = list(federation.nodes.values())
    chances = federation.loop.random
    while not until():
        asking, asked = chances.sample(nodes, 2)
        await ask(asking, question(asked.party, asked.kit.codes[0]))
        await asyncio.sleep(2.0)


def knows(node: SimNode) -> bool:
    return node.participant is not None and bool(node.participant.notices.splits)


@pytest.mark.parametrize("seed", [1])
def test_seventy_nodes_and_one_that_is_shown_another_directory(seed: int, capsys: pytest.CaptureFixture[str]):
    async def main(loop: VirtualLoop) -> Found:
        async with federating(loop, seed=seed, parties=PARTIES) as federation:
            await asyncio.sleep(60)
            target = federation[TARGET]
            await split(federation, target)
            await asyncio.sleep(HOUR)
            assert target.participant is not None
            assert name_at(target) == "The false name"
            assert {name_at(node) for node in federation.nodes.values() if node is not target} == {"The true name"}
            assert not any(knows(node) for node in federation.nodes.values())
            before = len(federation.envelopes)

            await traffic(federation, until=lambda: any(knows(node) for node in federation.nodes.values()))

            crossed = federation.envelopes[before:]
            found = Found(
                envelopes=len(crossed),
                asked=sum(target.kit.name in (sender, recipient) for _, sender, recipient in crossed),
            )
            await asyncio.sleep(60)
            assert all(knows(node) for node in federation.nodes.values())
            assert federation.secretariat.notices is not None
            assert federation.secretariat.notices.splits
            await nothing_more(federation)
            return found

    found: list[Found] = []

    async def keeping(loop: VirtualLoop) -> None:
        found.append(await main(loop))

    run_virtual(keeping, seed)
    with capsys.disabled():
        said = f"{found[0].envelopes} envelopes, {found[0].asked} of them the target's"
        print(f"\n{PARTIES} nodes, seed {seed}: proven after {said}")  # noqa: T201  # the number is what the test is there to tell
    assert found[0].asked == 1, "the first envelope that the targeted node sends or gets is enough"


def name_at(node: SimNode) -> str:
    assert node.participant is not None
    return node.participant.registry.roster.party(PartyId("qm")).name


async def nothing_more(federation: Federation) -> None:
    """The key that was caught brings nothing new to anybody; the nodes go on exchanging."""
    assert federation.secretariat.log is not None
    registry = federation.secretariat.log._registry
    says = Particulars(name="Later", region=False)
    update = wanted_update(registry.roster, PartyId("qm"), says, now=int(federation.now))
    assert update is not None
    await federation.secretariat.log.append(compose_entry(update, [federation["qm"].kit.author]))
    reader = federation["qn"]
    assert reader.participant is not None
    service = federation.network.directory(reader.kit.name, ca=reader.kit.ca.certificate, clock=reader.clock)
    with pytest.raises(Unauthentic, match="two directories"):
        await reader.participant.registry.follow(service, federation.secretariat.as_peer())
    view = await ask(reader, question(TARGET, federation[TARGET].kit.codes[0]))
    assert view.answers
