"""What happens to a federation and when, as a list that is drawn from a seed, written down, read back and cut down.

An event stands for itself: leaving one out changes no other. So the list that made something fail can be made shorter, one part
after another, until nothing more can be left out (`tests.support.shrinking`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Self

from tests.support.parties import PARTIES
from tests.support.simulated_officers import DAY, HOUR

STORE_FAULTS = 0.01
"""Chance that a call to a disk fails, before it took effect, and again after."""
LONG_DAYS = 20
"""In longer runs nobody notices minutes: nodes try again and ask around less often."""
SKEW_S = 120.0
"""How wrong clocks are: less than what is tolerated."""


class What(StrEnum):
    """Kinds of events. `for_s` is how long it lasts, where nothing else is said."""

    ASK = "ask"
    """The first node asks the second; `number` draws `amount` codes; `for_s` is the time until the deadline."""
    CRASH = "crash"
    """The power of a node is cut right after `number` more commits, or at once when that is 0, and comes back after `for_s`."""
    CUT = "cut"
    """Nothing gets from these nodes to any other; the other way is open."""
    PART = "part"
    """Nothing gets from these nodes to any other, nor back."""
    FAULTS = "faults"
    """The node's disk fails now and then."""
    SKEW = "skew"
    """The node's clock is `amount` seconds ahead from now on."""
    STORM = "storm"
    """Calls take long, overtake each other, get lost, come twice."""
    ABSENCE = "absence"
    """The Secretariat is gone."""
    RESTORE = "restore"
    """The node is off and back with what its disk held `amount` seconds before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens.

    Attributes:
        at: seconds after the federation has settled.
        nodes: Parties that it happens to.
    """

    at: float
    what: What
    nodes: tuple[str, ...] = ()
    for_s: float = 0.0
    number: int = 0
    amount: float = 0.0

    def line(self) -> str:
        """As one line that `Schedule.parse` reads."""
        said = {name: value for name, value in asdict(self).items() if value not in ((), 0, 0.0) or name == "at"}
        return json.dumps(said)

    @classmethod
    def parse(cls, line: str) -> Self:
        """What `line` gave."""
        said = json.loads(line)
        return cls(**{**said, "what": What(said["what"]), "nodes": tuple(said.get("nodes", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A whole run.

    Attributes:
        seed: of everything that the events leave open: delays, losses, faults.
        witnesses: how many Parties are on witness duty; with none, everybody is.
        pace_s: how long nodes rest between two rounds of housekeeping.
        slow: whether nodes look after themselves less often than real ones do, as in long runs and all parts of them.
        bug: the name of a bug that is planted (`tests.support.planted`), or empty.
    """

    seed: int
    parties: int
    days: float
    witnesses: int
    pace_s: float
    events: tuple[Event, ...]
    slow: bool = False
    bug: str = ""

    def text(self) -> str:
        """As a file that `make soak PLAN=file` runs again."""
        head = {name: getattr(self, name) for name in ("seed", "parties", "days", "witnesses", "pace_s", "slow", "bug")}
        return "\n".join([json.dumps(head), *(event.line() for event in self.events), ""])

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text` gave."""
        head, *lines = text.strip().splitlines()
        return cls(**json.loads(head), events=tuple(Event.parse(line) for line in lines))

    def since(self, at: float) -> Self:
        """What happens from then on, moved to the beginning. A backup is older than the day on which it is put back."""
        later = (event for event in self.events if event.at - (event.amount if event.what is What.RESTORE else 0.0) >= at)
        return replace(
            self, events=tuple(replace(event, at=event.at - at) for event in later), days=max(1.0, self.days - at / DAY)
        )

    def of(self, events: Iterable[Event]) -> Self:
        """The same with other events."""
        return replace(self, events=tuple(events))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how many, how bad: what a schedule is drawn from.

    Attributes:
        codes: how many each question is about.
        crashes: with the power back within hours.
        cuts: of a quarter of all nodes from the others, one way or both ways, for hours.
        outages, long_outages: of one node for 72 hours, or for 30 days.
        steps: changes of one clock.
        restores: of one node from yesterday's backup.
        stormy, faulty: spells of bad weather, and of bad disks at some nodes; None for all the time and everywhere.
        absence_s: how long the Secretariat is gone, once.
        deadlines_s: one of them for each question.
    """

    parties: int = 20
    witnesses: int = 0
    days: float = 3
    enquiries: int = 60
    codes: int = 3
    crashes: int = 25
    partings: int = 4
    outages: int = 0
    long_outages: int = 0
    steps: int = 0
    restores: int = 0
    stormy: int | None = None
    faulty: int | None = None
    absence_s: float = DAY
    deadlines_s: tuple[int, ...] = (60, HOUR, 6 * HOUR, 2 * DAY, 7 * DAY)
    pace_s: float = 6 * HOUR

    def draw(self, seed: int, *, bug: str = "") -> Schedule:
        """One schedule; the same for the same seed."""
        drawn = sorted(_Draw(self, seed).events(), key=lambda event: event.at)
        return Schedule(
            seed=seed,
            parties=self.parties,
            days=self.days,
            witnesses=self.witnesses,
            pace_s=self.pace_s,
            events=tuple(drawn),
            slow=self.days > LONG_DAYS,
            bug=bug,
        )


class _Draw:
    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.chances = random.Random(f"schedule/{seed}")
        self.parties = [str(party) for party in PARTIES[: plan.parties]]
        self.end_s = plan.days * DAY
        self.raids = [self.chances.uniform(0, self.end_s) for _ in range(max(1, int(2 * plan.days)))]

    def events(self) -> Iterator[Event]:
        yield from self._surroundings()
        yield from (self._ask() for _ in range(self.plan.enquiries))
        yield from (self._crash() for _ in range(self.plan.crashes))
        yield from (self._parting() for _ in range(self.plan.partings))
        yield from (self._outage(3 * DAY) for _ in range(self.plan.outages))
        yield from (self._outage(30 * DAY) for _ in range(self.plan.long_outages))
        yield from (self._restore() for _ in range(self.plan.restores))

    def _surroundings(self) -> Iterator[Event]:
        """Weather, disks, clocks, and the Secretariat."""
        chances, plan = self.chances, self.plan
        for party in self.parties:
            yield Event(at=0.0, what=What.SKEW, nodes=(party,), amount=self._skew())
        for _ in range(plan.steps):
            yield Event(at=self._some_time(), what=What.SKEW, nodes=self._somebody(), amount=self._skew())
        if plan.stormy is None:
            yield Event(at=0.0, what=What.STORM, for_s=self.end_s)
        for _ in range(plan.stormy or 0):
            yield Event(at=self._some_time(), what=What.STORM, for_s=chances.uniform(HOUR, 12 * HOUR))
        if plan.faulty is None:
            yield from (Event(at=0.0, what=What.FAULTS, nodes=(party,), for_s=self.end_s) for party in self.parties)
        for _ in range(plan.faulty or 0):
            yield Event(at=self._some_time(), what=What.FAULTS, nodes=self._somebody(), for_s=chances.uniform(HOUR, DAY))
        yield Event(at=self._some_time(), what=What.ABSENCE, for_s=plan.absence_s)

    def _skew(self) -> float:
        return self.chances.uniform(-SKEW_S, SKEW_S)

    def _some_time(self) -> float:
        return self.chances.uniform(0, self.end_s)

    def _busy_time(self) -> float:
        """Most questions come when others do: in the few hours in which the markets are raided."""
        raid = self.chances.choice(self.raids)
        return raid + self.chances.choice([0.0, self.chances.uniform(0, 10), self.chances.uniform(0, 2 * HOUR)])

    def _somebody(self) -> tuple[str, ...]:
        return (self.chances.choice(self.parties),)

    def _ask(self) -> Event:
        asker, answerer = self.chances.sample(self.parties, 2)
        draw = self.chances.randrange(1, 2**16)
        deadline_s = float(self.chances.choice(self.plan.deadlines_s))
        return Event(
            at=self._busy_time(), what=What.ASK, nodes=(asker, answerer), for_s=deadline_s, number=draw, amount=self.plan.codes
        )

    def _crash(self) -> Event:
        down_s = self.chances.choice([0.0, 5.0, 60.0, HOUR, 6 * HOUR])
        writes = self.chances.choice([0, 1, 2, 3, 5, 8])
        return Event(at=self._busy_time(), what=What.CRASH, nodes=self._somebody(), for_s=down_s, number=writes)

    def _parting(self) -> Event:
        some = tuple(self.chances.sample(self.parties, max(1, self.plan.parties // 4)))
        what = self.chances.choice([What.CUT, What.PART])
        return Event(at=self._some_time(), what=what, nodes=some, for_s=self.chances.uniform(HOUR, 6 * HOUR))

    def _outage(self, for_s: float) -> Event:
        return Event(
            at=self.chances.uniform(0, max(1.0, self.end_s - for_s)), what=What.CRASH, nodes=self._somebody(), for_s=for_s
        )

    def _restore(self) -> Event:
        at = self.chances.uniform(DAY, max(DAY, self.end_s))
        return Event(at=at, what=What.RESTORE, nodes=self._somebody(), for_s=self.chances.uniform(60, HOUR), amount=DAY)
