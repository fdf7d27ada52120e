"""The directory when its centre fails: a Secretariat that is gone for days, witnesses that are down, a month that stands still."""

from __future__ import annotations

import asyncio

import pytest

from federation import limits
from federation.boundary.directory import compose_entry
from federation.errors import Conflict
from federation.identity import PartyId
from federation.trust import note
from federation.trust.witness import weigh
from node.rpc.directory import DirectoryServicer
from node.use_cases.announcing import Particulars, Patience, announce, wanted_update
from node.use_cases.desk_values import Health
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.registry import Registry
from tests.support.federation import Federation
from tests.support.network import Site
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, ask, look, question

QM, QN, QO, QP, QQ = (PartyId(party) for party in ("qm", "qn", "qo", "qp", "qq"))


def registry_of(node: SimNode) -> Registry:
    assert node.participant is not None
    return node.participant.registry


def name_at(node: SimNode) -> str:
    return registry_of(node).roster.party(QM).name


async def rename(federation: Federation, name: str, *, wait_s: float = 6 * HOUR) -> None:
    """As the Party's administrator does it."""
    node = federation["qm"]
    registry = registry_of(node)
    update = wanted_update(registry.roster, node.party, Particulars(name=name, region=False), now=int(node.clock.now()))
    service = federation.network.directory(node.kit.name, ca=node.kit.ca.certificate, clock=node.clock)
    await announce(
        registry,
        service,
        federation.secretariat.as_peer(),
        bodies=[update],
        signer=node.kit.author,
        patience=Patience(wait_s=wait_s),
    )


async def directory_check(node: SimNode) -> tuple[Health, str]:
    officer = node.kit.officers[0].name
    status = await node.at_desk(lambda desk: desk.status(officer))
    (check,) = (one for one in status.checks if one.name == "directory")
    return check.health, check.words


async def exchanges(federation: Federation, asking: str, asked: str) -> bool:
    view = await ask(federation[asking], question(PartyId(asked), federation[asked].kit.codes[0]))
    return bool((await look(federation[asking], view.asked.message_id, wait_s=60)).answers)


@simulated(parties=5, witnesses=4)
async def test_a_secretariat_that_is_gone_for_days(federation: Federation):
    """Peers bring the news of the last day, with its witnesses; traffic goes on; what stands still is told."""
    away = federation["qq"]
    away.crash()
    await rename(federation, "Another name")
    await asyncio.sleep(2 * HOUR)
    federation.secretariat.go_away()
    await federation.restart(away)
    await asyncio.sleep(2 * HOUR)
    assert name_at(away) == "Another name"

    await asyncio.sleep(2 * DAY)
    assert await exchanges(federation, "qq", "qm")
    health, words = await directory_check(away)
    assert health is Health.BAD
    assert "no new Party and no new key is accepted" in words
    assert not registry_of(away).is_stale

    await asyncio.sleep(6 * DAY)
    assert await exchanges(federation, "qm", "qn")
    view = await ask(federation["qn"], question(QM, federation["qm"].kit.codes[1]))
    assert view.directory_stale

    await federation.secretariat.come_back()
    await rename(federation, "A third name")
    await asyncio.sleep(2 * HOUR)
    assert {name_at(node) for node in federation.nodes.values()} == {"A third name"}
    assert (await directory_check(away))[0] is Health.GOOD


@simulated(parties=5, witnesses=4)
async def test_whoever_was_away_for_longer_than_a_day_takes_nothing_new_from_peers(federation: Federation):
    away = federation["qq"]
    away.crash()
    await rename(federation, "Another name")
    await asyncio.sleep(2 * HOUR)
    federation.secretariat.go_away()
    await asyncio.sleep(2 * DAY)
    await federation.restart(away)
    await asyncio.sleep(4 * HOUR)

    assert name_at(away) == "Party QM"
    assert registry_of(away).refused is not None
    assert registry_of(away).refused.code == "stale"
    assert await exchanges(federation, "qq", "qn")
    await federation.secretariat.come_back()
    await asyncio.sleep(4 * HOUR)
    assert name_at(away) == "Another name"


@simulated(parties=5, witnesses=4)
async def test_half_the_witnesses_are_down(federation: Federation):
    """An entry is taken and waits; nobody is shown it; it counts when enough of them are back."""
    for party in ("qo", "qp"):
        federation[party].crash()
    with pytest.raises(Conflict, match="2 of 3"):
        await rename(federation, "Another name", wait_s=HOUR)
    await asyncio.sleep(12 * HOUR)
    assert name_at(federation["qn"]) == "Party QM"
    assert await exchanges(federation, "qm", "qn")

    await federation.restart(federation["qo"])
    await asyncio.sleep(3 * HOUR)
    assert {name_at(federation[party]) for party in ("qm", "qn", "qo", "qq")} == {"Another name"}


@simulated(parties=5, witnesses=4)
async def test_a_month_that_stands_still(federation: Federation):
    """The Secretariat serves one old checkpoint for a month. Everybody notices, everybody goes on, and nothing is lost."""
    secretariat = federation.secretariat
    await rename(federation, "Before")
    await asyncio.sleep(2 * HOUR)
    assert secretariat.log is not None
    registry = secretariat.log._registry
    assert federation._group is not None
    assert secretariat.notices is not None
    federation.network.attach(
        Site(
            name=secretariat.name,
            ca=federation.treaty.founded.ca,
            routes=DirectoryServicer(DirectoryReads(registry), secretariat.notices).routes(),
            anchors=registry.roster.anchors,
            spawn=federation._group.create_task,
        )
    )
    for day in range(1, 31):
        await asyncio.sleep(DAY)
        if day in {2, 8, 30}:
            assert await exchanges(federation, "qm", "qn")
            assert (await directory_check(federation["qn"]))[0] is Health.BAD
            assert registry_of(federation["qn"]).is_stale == (day > limits.DIRECTORY_STALE_MARK_S // DAY)

    await secretariat.come_back()
    await rename(federation, "After")
    await asyncio.sleep(2 * HOUR)
    assert {name_at(node) for node in federation.nodes.values()} == {"After"}


@simulated(parties=5, witnesses=4)
async def test_a_checkpoint_that_nobody_has_followed_for_days_is_fresh_again_once_the_witnesses_see_it(federation: Federation):
    """The Secretariat dies in the moment in which it publishes: all witnesses have cosigned, and none has read it back."""
    log = federation.secretariat.log
    assert log is not None
    says = Particulars(name="Another name", region=False)
    update = wanted_update(registry_of(federation["qm"]).roster, QM, says, now=int(federation.now))
    assert update is not None
    size = registry_of(federation["qm"]).replica.frontier.size
    await log.append(compose_entry(update, [federation["qm"].kit.author]))
    while log._registry.replica.frontier.size == size:
        await asyncio.sleep(0.01)
    federation.secretariat.go_away()
    assert {name_at(node) for node in federation.nodes.values()} == {"Party QM"}
    await asyncio.sleep(3 * DAY)
    await federation.secretariat.come_back()
    await asyncio.sleep(3 * HOUR)

    assert {name_at(node) for node in federation.nodes.values()} == {"Another name"}


@simulated(parties=5, witnesses=4)
async def test_witnesses_cosign_again_each_hour_so_that_freshness_shows(federation: Federation):
    await asyncio.sleep(3 * DAY)

    for node in federation.nodes.values():
        assert registry_of(node).age_s < limits.DIRECTORY_STALE_WARN_S
        replica = registry_of(node).replica
        assert len(weigh(replica.roster, note.parse_note(replica.note)).witnesses) == 4
