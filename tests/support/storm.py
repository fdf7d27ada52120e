"""A federation under a schedule of hard times, and then calm until nothing is under way; watched all the time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from federation import limits
from federation.query.codes import Automation
from node import limits as node_limits
from node.use_cases import gossip
from tests.support.federation import Federation, federating
from tests.support.history import History, telling
from tests.support.invariants import SETTLED, Watch, answers_taken
from tests.support.network import FAIR, STORM
from tests.support.planted import planted
from tests.support.remembered import verified_once
from tests.support.schedule import STORE_FAULTS, Event, Plan, Schedule, What
from tests.support.simulated_node import SimNode, Storage
from tests.support.simulated_officers import DAY, HOUR, Enquiry, question, work_by_hand
from tests.support.virtual_clock import VirtualLoop, virtual_loop

CALM_DAYS_MAX = 9
"""By then every deadline has passed, and officers have looked into their inboxes many times."""
BLOW_S_MAX = 10 * 60.0
"""A crash that waits for commits comes after this time though there were none."""
SLOW_RETRY_S = 6.0 * HOUR
SLOW_PROBES_SHARE = 12
SLOW_QUIET_S = 28 * DAY
SLOW_PULL_S = 1.0 * DAY
SLOW_ROTATION_S = 3 * DAY
SLOW_COSIGNING_S = 20 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        asked, answered: queries.
        messages: that were sealed for another Party: queries and answers.
        receipts: that came back for them.
        lost: messages that have neither a receipt nor an end that their sender was told.
        doubled: messages of which a node took two, or answered two times.
        forgotten: queries that a node had asked after the backup from which it was put back.
        virtual_days: from the first event until nothing was under way.
    """

    history: History
    asked: int
    answered: int
    messages: int
    receipts: int
    lost: int
    doubled: int
    forgotten: int
    virtual_days: float


class Broken(AssertionError):
    """Something that has to hold does not.

    Attributes:
        at_s: seconds after the federation was begun.
    """

    def __init__(self, cause: BaseException, at_s: float) -> None:
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        super().__init__(f"{type(cause).__name__} after {at_s / DAY:.2f} days: {cause}")
        self.at_s = at_s


@dataclass
class _Storm:
    federation: Federation
    schedule: Schedule
    watch: Watch
    enquiries: list[Enquiry] = field(default_factory=list)
    copies: dict[Event, Storage] = field(default_factory=dict)
    storms: int = 0

    async def blow(self) -> None:
        """Everything at its time."""
        start = self.federation.loop.time()
        async with asyncio.TaskGroup() as group:
            for at, hand, event in sorted(self._works(), key=lambda timed: timed[0]):
                await asyncio.sleep(start + at - self.federation.loop.time())
                group.create_task(hand(event))

    def _works(self) -> Iterator[tuple[float, Callable[[Event], Coroutine[Any, Any, None]], Event]]:
        hands = {
            What.ASK: self._ask,
            What.CRASH: self._crash,
            What.CUT: self._cut,
            What.PART: self._part,
            What.FAULTS: self._fail,
            What.SKEW: self._skew,
            What.STORM: self._storm,
            What.ABSENCE: self._be_absent,
            What.RESTORE: self._restore,
        }
        for event in self.schedule.events:
            if event.what is What.RESTORE:
                yield max(0.0, event.at - event.amount), self._copy, event
            yield event.at, hands[event.what], event

    def _node(self, event: Event) -> SimNode:
        return self.federation[event.nodes[0]]

    async def _ask(self, event: Event) -> None:
        asker, answerer = (self.federation[party] for party in event.nodes)
        known = [*answerer.kit.codes, answerer.kit.unknown_code, asker.kit.codes[0]]
        codes = random.Random(event.number).sample(known, int(event.amount))
        asked = question(answerer.party, *codes, deadline_s=int(event.for_s))
        enquiry = Enquiry(asker, asked, [], pause_s=HOUR if self.schedule.slow else 10 * 60)
        self.enquiries.append(enquiry)
        await enquiry.put()

    async def _crash(self, event: Event) -> None:
        node = self._node(event)
        if not node.is_on:
            return
        try:
            async with asyncio.timeout(BLOW_S_MAX if event.number else 0):
                await node.crash_after_writes(event.number)
        except TimeoutError:
            node.crash()
        await asyncio.sleep(event.for_s)
        if not node.is_on:
            self.federation.start(node)

    async def _cut(self, event: Event) -> None:
        network = self.federation.network
        some, others = self._sides(event)
        network.cut(some, others)
        await asyncio.sleep(event.for_s)
        network.mend(some, others)

    async def _part(self, event: Event) -> None:
        network = self.federation.network
        some, others = self._sides(event)
        network.part(some, others)
        await asyncio.sleep(event.for_s)
        network.mend(some, others)
        network.mend(others, some)

    def _sides(self, event: Event) -> tuple[list[Any], list[Any]]:
        nodes = self.federation.nodes.values()
        some = [node.kit.name for node in nodes if node.party in event.nodes]
        return some, [node.kit.name for node in nodes if node.party not in event.nodes]

    async def _fail(self, event: Event) -> None:
        faults = self._node(event).faults
        faults.before = faults.after = STORE_FAULTS
        await asyncio.sleep(event.for_s)
        faults.heal()

    async def _skew(self, event: Event) -> None:
        self._node(event).clock.skew_s = event.amount

    async def _storm(self, event: Event) -> None:
        network = self.federation.network
        self.storms += 1
        network.weather = STORM
        await asyncio.sleep(event.for_s)
        self.storms -= 1
        network.weather = STORM if self.storms else FAIR

    async def _be_absent(self, event: Event) -> None:
        self.federation.secretariat.go_away()
        await asyncio.sleep(event.for_s)
        await self.federation.secretariat.come_back()

    async def _copy(self, event: Event) -> None:
        self.copies[event] = self._node(event).storage.copy()

    async def _restore(self, event: Event) -> None:
        node = self._node(event)
        if not node.is_on:
            return
        node.crash()
        node.put_back(self.copies.pop(event), age_s=event.amount)
        await asyncio.sleep(event.for_s)
        if not node.is_on:
            self.federation.start(node)

    async def calm_down(self) -> None:
        """Everything works from now on."""
        self.federation.network.weather = FAIR
        self.federation.network.heal()
        for node in self.federation.nodes.values():
            node.faults.heal()
            if not node.is_on:
                await self.federation.restart(node)
        for _ in range(CALM_DAYS_MAX * 24):
            if self._is_settled():
                return
            await asyncio.sleep(HOUR)

    def _is_settled(self) -> bool:
        """Whether every query has its end, and no message waits for anybody."""
        nodes = self.federation.nodes.values()
        queries = (asked for node in nodes for asked in node.storage._asked.values())
        return not any(self.watch.outgoing(node) for node in nodes) and all(asked.state in SETTLED for asked in queries)


def automation_of(number: int) -> Automation:
    """Every third Party answers by hand, every fourth of the others with the help of its node."""
    if number % 3 == 0:
        return Automation.MANUAL
    return Automation.ASSISTED if number % 4 == 0 else Automation.AUTOMATIC


async def _look_each_day(federation: Federation, watch: Watch, told: Callable[[float, int], None]) -> None:
    while True:
        await asyncio.sleep(DAY)
        watch.look()
        told(federation.loop.time() / DAY, federation.network.calls)


def run_storm(seed: int, plan: Plan | None = None) -> Outcome:
    """One whole run, on a loop of its own.

    Raises:
        Broken: something that has to hold does not; seed and history are a note of its cause.
    """
    return run_schedule((plan or Plan()).draw(seed))


def run_schedule(schedule: Schedule, *, told: Callable[[float, int], None] = lambda _days, _calls: None) -> Outcome:
    """One whole run of a schedule, as `run_storm`.

    Args:
        schedule: what happens.
        told: after each virtual day, how many there were, and how many calls the network has carried.
    """
    with ExitStack() as stack:
        stack.enter_context(planted(schedule.bug))
        stack.enter_context(verified_once())
        if schedule.slow:
            stack.enter_context(_slowly())
        loop = stack.enter_context(virtual_loop(schedule.seed))
        try:
            return loop.run_until_complete(_run(loop, schedule, told))
        except Exception as failure:
            raise Broken(failure, loop.time()) from failure


@contextmanager
def _slowly() -> Iterator[None]:
    """A year of nodes that have nothing to do and look every five minutes whether that is still so would take hours."""
    with ExitStack() as stack:
        for module, name, value in (
            (limits, "RETRY_S_MAX", SLOW_RETRY_S),
            (limits, "PREKEY_ROTATE_S", SLOW_ROTATION_S),
            (limits, "COSIGN_AGAIN_S", SLOW_COSIGNING_S),
            (gossip, "PULL_S", SLOW_PULL_S),
            (limits, "LINE_PROBES_SHARE", SLOW_PROBES_SHARE),
            (node_limits, "RECONCILE_QUIET_S", SLOW_QUIET_S),
            (node_limits, "RECONCILE_RETRY_S", DAY),
        ):
            stack.enter_context(patch.object(module, name, value))
        yield


async def _run(loop: VirtualLoop, schedule: Schedule, told: Callable[[float, int], None]) -> Outcome:
    history = History.short() if schedule.slow else History()
    with telling(history, schedule.seed):
        async with federating(
            loop,
            seed=schedule.seed,
            parties=schedule.parties,
            witnesses=schedule.witnesses,
            automation=automation_of,
            history=history,
            pace_s=schedule.pace_s,
        ) as federation:
            watch = Watch(federation)
            watch.look_at_each_step()
            storm = _Storm(federation, schedule, watch)
            background = [federation.in_background(_look_each_day(federation, watch, told))]
            pause_s = (12.0 * HOUR, 36.0 * HOUR) if schedule.slow else (1.0 * HOUR, 8.0 * HOUR)
            for number, node in enumerate(federation.nodes.values()):
                if automation_of(number) is not Automation.AUTOMATIC:
                    background.append(federation.in_background(work_by_hand(node, pause_s=pause_s)))
            await storm.blow()
            await storm.calm_down()
            for task in background:
                task.cancel()
            watch.look_at_the_end()
            outcome = _outcome(federation, storm)
            assert (outcome.lost, outcome.doubled) == (0, 0), f"{outcome.lost} lost, {outcome.doubled} doubled"
            return outcome


def _outcome(federation: Federation, storm: _Storm) -> Outcome:
    """Counted anew from the disks, whatever was watched before."""
    nodes = list(federation.nodes.values())
    counted = storm.watch.count()
    lost, forgotten = counted.lost, 0
    for enquiry in storm.enquiries:
        lost += not enquiry.message_ids
        for message_id in enquiry.message_ids:
            asked = enquiry.node.storage._asked.get(message_id)
            if asked is not None:
                lost += asked.state not in SETTLED
            elif any(message_id in disk._asked for disk in enquiry.node.past):
                forgotten += 1
            else:
                lost += 1
    return Outcome(
        history=federation.history,
        asked=sum(len(node.storage._asked) for node in nodes),
        answered=sum(answers_taken(federation).values()),
        messages=counted.messages,
        receipts=counted.receipts,
        lost=lost,
        doubled=counted.doubled,
        forgotten=forgotten,
        virtual_days=federation.loop.time() / DAY,
    )
