"""A node's keys when clocks jump, as clocks of virtual machines do."""

from __future__ import annotations

import pytest

from federation import limits
from federation.boundary.receipts import read_bundle
from federation.errors import StoreUnavailable
from federation.identity import PartyId
from node.use_cases.keyring import Keyring
from node.use_cases.world import Own, World
from tests.support.faults import Faults, When
from tests.support.memory_stores import MemoryExchange
from tests.support.memory_timeline import MemoryTimeline
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


async def test_a_node_that_starts_without_a_network_has_the_prekeys_of_its_peers(treaty):
    own, peer = treaty.admit("qm"), treaty.admit("qn")
    stores, clock, faults = (MemoryExchange(), MemoryExchange()), Clock(), Faults(71)
    kept = MemoryTimeline(faults, ())
    theirs = keyring_of(peer, stores[1], clock)
    await theirs.load()
    keyring = keyring_of(own, stores[0], clock)
    await keyring.load()
    assert keyring.learn(theirs.bundles(), treaty.roster) == 1

    faults.fail("put_bundles", When.BEFORE)
    with pytest.raises(StoreUnavailable):
        await keyring.write(kept)
    await keyring.write(kept)
    await keyring.write(kept)
    assert faults.calls["put_bundles"] == 2, "nothing new is written again"

    back = keyring_of(own, stores[0], clock)
    await back.load()
    back.recall(await kept.bundles(), treaty.roster)
    assert back.prekey_of(PartyId("qn"), treaty.roster) == keyring.prekey_of(PartyId("qn"), treaty.roster) is not None

    back.forget(PartyId("qn"))
    await back.write(kept)
    assert await kept.bundles() == ()


async def test_a_kept_bundle_whose_time_is_over_is_not_used(treaty):
    own, peer = treaty.admit("qm"), treaty.admit("qn")
    clock = Clock()
    theirs = keyring_of(peer, MemoryExchange(), clock)
    await theirs.load()
    bundles = theirs.bundles()

    clock.time = NOW + limits.PREKEY_OFFER_S + 2
    back = keyring_of(own, MemoryExchange(), clock)
    back.recall(bundles, treaty.roster)

    assert back.prekey_of(PartyId("qn"), treaty.roster) is None
