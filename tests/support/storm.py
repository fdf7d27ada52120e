"""Some days of a federation under everything that can go wrong, drawn from a seed, and then calm until nothing is under way."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from tests.support.federation import Federation, federating
from tests.support.history import History, telling
from tests.support.invariants import SETTLED, Watch, answers_taken
from tests.support.network import FAIR, STORM
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, Enquiry, question, work_by_hand
from tests.support.virtual_clock import VirtualLoop, virtual_loop

STORE_FAULTS = 0.01
"""Chance that a call to a disk fails, before it took effect, and again after."""
SKEW_S = 120.0
"""How wrong clocks are: less than what is tolerated."""
CALM_DAYS_MAX = 9
"""By then every deadline has passed, and officers have looked into their inboxes many times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how many, how bad."""

    parties: int = 20
    days: int = 3
    enquiries: int = 60
    crashes: int = 25
    partings: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    history: History
    asked: int
    answered: int


class _Storm:
    def __init__(self, federation: Federation, plan: Plan) -> None:
        self.federation = federation
        self.plan = plan
        self.chances = random.Random(f"storm/{federation.seed}")
        self.nodes = list(federation.nodes.values())
        self.enquiries: list[Enquiry] = []
        self.raids = [self.chances.uniform(0, plan.days * DAY) for _ in range(2 * plan.days)]

    async def blow(self) -> None:
        """Everything at once."""
        self.federation.network.weather = STORM
        for node in self.nodes:
            node.clock.skew_s = self.chances.uniform(-SKEW_S, SKEW_S)
            node.faults.before = node.faults.after = STORE_FAULTS
        works: list[Any] = [self._enquire() for _ in range(self.plan.enquiries)]
        works += [self._crash() for _ in range(self.plan.crashes)]
        works += [self._part() for _ in range(self.plan.partings)]
        works.append(self._lose_the_secretariat())
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)

    async def calm_down(self) -> None:
        """Everything works from now on."""
        self.federation.network.weather = FAIR
        self.federation.network.heal()
        for node in self.nodes:
            node.faults.heal()
            if not node.is_on:
                await self.federation.restart(node)
        for _ in range(CALM_DAYS_MAX * 24):
            if self._is_settled():
                return
            await asyncio.sleep(HOUR)

    def _is_settled(self) -> bool:
        """Whether every query has its end, and no message waits for anybody."""
        queries = [asked for node in self.nodes for asked in node.storage._asked.values()]
        return all(asked.state in SETTLED for asked in queries) and not any(node.storage._outgoing for node in self.nodes)

    async def _some_time(self) -> None:
        await asyncio.sleep(self.chances.uniform(0, self.plan.days * DAY))

    async def _busy_time(self) -> None:
        """Most questions come when others do: in the few hours in which the markets are raided."""
        raid = self.chances.choice(self.raids)
        await asyncio.sleep(raid + self.chances.choice([0.0, self.chances.uniform(0, 10), self.chances.uniform(0, 2 * HOUR)]))

    async def _enquire(self) -> None:
        asker, answerer = self.chances.sample(self.nodes, 2)
        codes = self.chances.sample([*answerer.kit.codes, answerer.kit.unknown_code, asker.kit.codes[0]], 3)
        deadline_s = int(self.chances.choice([60, HOUR, 6 * HOUR, 2 * DAY, 7 * DAY]))
        await self._busy_time()
        enquiry = Enquiry(asker, question(answerer.party, *codes, deadline_s=deadline_s), [])
        self.enquiries.append(enquiry)
        await enquiry.put()

    async def _crash(self) -> None:
        node: SimNode = self.chances.choice(self.nodes)
        down_s = self.chances.choice([0.0, 5.0, 60.0, HOUR, 6 * HOUR])
        writes = self.chances.choice([0, 1, 2, 3, 5, 8])
        await self._busy_time()
        if not node.is_on:
            return
        try:
            async with asyncio.timeout(10 * 60 if writes else 0):
                await node.crash_after_writes(writes)
        except TimeoutError:
            node.crash()
        await asyncio.sleep(down_s)
        if not node.is_on:
            self.federation.start(node)

    async def _part(self) -> None:
        network = self.federation.network
        some = self.chances.sample(self.nodes, self.plan.parties // 4)
        others = [node.kit.name for node in self.nodes if node not in some]
        is_one_way = self.chances.random() < 0.5
        await self._some_time()
        names = [node.kit.name for node in some]
        if is_one_way:
            network.cut(names, others)
        else:
            network.part(names, others)
        await asyncio.sleep(self.chances.uniform(HOUR, 6 * HOUR))
        network.heal()

    async def _lose_the_secretariat(self) -> None:
        await self._some_time()
        self.federation.secretariat.go_away()
        await asyncio.sleep(DAY)
        await self.federation.secretariat.come_back()


def automation_of(number: int) -> Automation:
    """Every third Party answers by hand, every fourth of the others with the help of its node."""
    if number % 3 == 0:
        return Automation.MANUAL
    return Automation.ASSISTED if number % 4 == 0 else Automation.AUTOMATIC


async def _watch(watch: Watch) -> None:
    while True:
        await asyncio.sleep(HOUR)
        watch.look()


def run_storm(seed: int, plan: Plan | None = None) -> Outcome:
    """One whole run, on a loop of its own.

    Raises:
        AssertionError: something that has to hold does not, with seed and history as a note.
    """
    plan = plan or Plan()
    with virtual_loop(seed) as loop:
        return loop.run_until_complete(_run(loop, seed, plan))


async def _run(loop: VirtualLoop, seed: int, plan: Plan) -> Outcome:
    history = History()
    with telling(history, seed):
        async with federating(loop, seed=seed, parties=plan.parties, automation=automation_of, history=history) as federation:
            watch, storm = Watch(federation), _Storm(federation, plan)
            background = [federation.in_background(_watch(watch))]
            for number, node in enumerate(storm.nodes):
                if automation_of(number) is not Automation.AUTOMATIC:
                    background.append(federation.in_background(work_by_hand(node, pause_s=(HOUR, 8 * HOUR))))
            await storm.blow()
            await storm.calm_down()
            for task in background:
                task.cancel()
            watch.look_at_the_end()
            _check_enquiries(federation, storm.enquiries)
            asked = sum(len(node.storage._asked) for node in storm.nodes)
            return Outcome(history=history, asked=asked, answered=sum(answers_taken(federation).values()))


def _check_enquiries(federation: Federation, enquiries: list[Enquiry]) -> None:
    """What an officer was told is in the store."""
    for enquiry in enquiries:
        assert enquiry.message_ids, "an officer asked in vain"
        for message_id in enquiry.message_ids:
            assert enquiry.node.storage._asked[message_id].state in {AskedState.ANSWERED, AskedState.EXPIRED}
