"""A node's keys when clocks jump, as clocks of virtual machines do."""

from __future__ import annotations

import pytest

from federation import limits
from federation.boundary.receipts import read_bundle
from federation.identity import PartyId
from node.use_cases.keyring import Keyring
from node.use_cases.world import Own, World
from tests.support.memory_stores import MemoryExchange
from tests.support.treaty import DAY, NOW, PartyMaterial, Treaty, entropy


class Clock:
    def __init__(self) -> None:
        self.time: float = NOW

    def now(self) -> float:
        return self.time


@pytest.fixture
def treaty() -> Treaty:
    return Treaty.make(seed=71)


def keyring_of(party: PartyMaterial, store: MemoryExchange, clock: Clock) -> Keyring:
    own = Own(party=PartyId(party.party), name=party.name, signer=party.signer)
    return Keyring(own, World(clock=clock, entropy=entropy(71, f"{clock.time}")), store)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_clock_that_was_wrong_once_does_not_keep_a_node_without_prekeys(treaty, restarted):
    party, store, clock = treaty.admit("qm"), MemoryExchange(), Clock()
    keyring = keyring_of(party, store, clock)
    await keyring.load()
    clock.time = NOW + 3_650 * DAY
    await keyring.rotate()

    clock.time = NOW + 60
    if restarted:
        keyring = keyring_of(party, store, clock)
        await keyring.load()
    await keyring.rotate()

    bundle = read_bundle(keyring.bundles()[0], roster=treaty.roster, now=clock.time)
    assert bundle.expires > clock.time
    assert bundle.created + limits.PREKEY_ROTATE_S > clock.time
    assert keyring.private(bundle.prekeys[-1].key_id) is not None
