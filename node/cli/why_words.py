"""Why a query stands where it stands, in words: what happened, what it waits for, what comes next, and what the officer can do.

A node that nobody reaches, one that refuses, one that does not know and one that is late are four different things here, and none of
them is worded like an answer. Every situation, step and error code has its words (a test walks all of them).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from federation.delivery.timeline import Step
from federation.envelope.header import MessageKind
from federation.ports import Direction, PeerSeen
from federation.query.codes import Automation
from node.cli.output import clock
from node.use_cases.why_values import Explanation, Situation, WhyLine

PROBLEMS: Final = {
    "unreachable": "the other node could not be reached",
    "overloaded": "the other node is busy",
    "unavailable": "the other node cannot work now",
    "store-unavailable": "a disk is full or failing",
    "stale": "the directory at one end is too old",
    "deadline-passed": "the other node could not finish in time",
    "forbidden": "the other node does not allow it",
    "unprocessable": "the other node failed over it: a defect there",
    "peer-misbehaviour": "the other node refuses it",
    "malformed": "the other node cannot read it",
    "oversized": "it is larger than the other node takes",
    "unauthentic": "a signature, a key or a certificate does not hold",
    "unwitnessed": "too few witnesses stand under the directory",
    "replayed": "the other node knows another message under this id",
    "conflict": "the other node is not in a state to take it",
    "invalid-input": "the other node finds no sense in it",
    "invalid-scan": "the other node finds no sense in a code",
    "incompatible": "the other node runs another version",
    "unknown-party": "the directory names no node of that Party, or no key of it is known",
    "not-found": "the other node does not have what it is about",
    "keys-unavailable": "the module that holds this node's keys does not answer",
    "operator-mistake": "something is set up wrongly at this node",
    "invalid-configuration": "a setting of this node cannot be used",
    "misuse": "a defect of this node's program",
    "internal": "a defect of this node's program",
}
"""Every error code in few words; one of a later version is shown as it is."""

SHORT: Final = {
    Situation.QUEUED: "on its way",
    Situation.UNREACHABLE: "their node could not be reached",
    Situation.REFUSING: "their node refuses the message, which is no answer",
    Situation.UNKNOWING: "no node, key or program that could take it is known",
    Situation.BUSY: "their node is there and cannot take it now",
    Situation.OWN: "something is wrong at this node",
    Situation.HELD: "their node refused it for good, which is no answer",
    Situation.GIVEN_UP: "given up here",
    Situation.WAITING: "delivered, no answer yet",
    Situation.IN_PART: "answered in part",
    Situation.LATE: "delivered, and no answer came in time",
    Situation.NEVER_DELIVERED: "could not be delivered in time",
    Situation.ANSWERED: "answered",
    Situation.REFUSED: "answered: they refuse",
    Situation.DOES_NOT_KNOW: "answered: they do not know the code",
    Situation.TO_ANSWER: "waits for this Party's answer",
    Situation.OVERDUE: "this Party did not answer in time",
    Situation.ANSWER_DELIVERED: "this Party's answer is there",
    Situation.ANSWER_UNDELIVERED: "this Party's answer was never receipted",
    Situation.NOT_TAKEN: "came, and this node failed over it",
}
"""In few words, for one line."""

WAITS: Final = {
    Situation.QUEUED: "for its turn: it is on its way",
    Situation.UNREACHABLE: "for their node: nobody answers there, so nobody knows what they would say",
    Situation.REFUSING: "for a change there or here: their node is there and does not take this message",
    Situation.UNKNOWING: "for one side to learn what it lacks: the directory's entry, a key, or a newer program",
    Situation.BUSY: "for their node, which is there and cannot take it at this moment",
    Situation.OWN: "for this node to be mended",
    Situation.HELD: "for a person here: their node would refuse the same message again",
    Situation.GIVEN_UP: "for nothing any more: somebody here gave it up, and it is never sent",
    Situation.WAITING: "for their answer; their node has it and has given its receipt",
    Situation.IN_PART: "for the rest of the answer, which they announced",
    Situation.LATE: "for nothing any more; their node has it, and they are late",
    Situation.NEVER_DELIVERED: "for nothing any more; nobody there has seen it",
    Situation.ANSWERED: "for nothing: it is answered",
    Situation.REFUSED: "for nothing: they have answered, over their signature, that they refuse",
    Situation.DOES_NOT_KNOW: "for nothing: they have answered, over their signature, that the code is not theirs or was never issued",
    Situation.TO_ANSWER: "for an answer of this Party",
    Situation.OVERDUE: "for an answer of this Party, which is late; it may still be given",
    Situation.ANSWER_DELIVERED: "for nothing: their node has given its receipt for the answer",
    Situation.ANSWER_UNDELIVERED: "for nothing any more; the answer left the outbox and no receipt for it came",
    Situation.NOT_TAKEN: "for another version of this node's program; their node knows that it was not taken",
}

RETRYING: Final = frozenset(
    {Situation.QUEUED, Situation.UNREACHABLE, Situation.REFUSING, Situation.UNKNOWING, Situation.BUSY, Situation.OWN}
)
"""What is in the outbox, and tried by itself."""

NEXT: Final = {
    Situation.HELD: "nothing by itself; a query ends at its deadline",
    Situation.GIVEN_UP: "nothing",
    Situation.WAITING: "their answer comes by itself; without one the query expires at its deadline",
    Situation.IN_PART: "the rest comes by itself; without it the query expires at its deadline",
    Situation.LATE: "an answer that comes late is taken all the same",
    Situation.NEVER_DELIVERED: "it is not sent any more",
    Situation.ANSWERED: "nothing",
    Situation.REFUSED: "nothing",
    Situation.DOES_NOT_KNOW: "nothing",
    Situation.OVERDUE: "their officer has been told that the deadline passed",
    Situation.ANSWER_DELIVERED: "nothing",
    Situation.ANSWER_UNDELIVERED: "nothing; when they ask again, they get an answer again",
    Situation.NOT_TAKEN: "it is tried once more when they send it again after this node was restarted",
}
"""Of what is not tried again; the others have their own sentences."""

ADVICE: Final = {
    Situation.QUEUED: "nothing: wait a moment",
    Situation.UNREACHABLE: "nothing for now; when it lasts, telephone their contact point (`gsp peers {peer}` shows since when)",
    Situation.REFUSING: "tell your administrator: `gsp doctor` here, and a call to their contact point; asking again changes nothing",
    Situation.UNKNOWING: "tell your administrator: `gsp directory show {peer}` says what the directory has of them",
    Situation.BUSY: "nothing: it goes out by itself",
    Situation.OWN: "tell your administrator: `gsp doctor` says what is broken",
    Situation.HELD: "when the reason is mended, `gsp outbox retry {message}`; else `gsp outbox drop {message}`",
    Situation.GIVEN_UP: "ask again in another way, or telephone their contact point",
    Situation.WAITING: "nothing before the deadline; in haste, telephone their contact point and name the id",
    Situation.IN_PART: "read what came: `gsp queries {id}`",
    Situation.LATE: "telephone their contact point, or ask again with a later --deadline; their receipt proves that they have it:"
    " `gsp proof export {id}`",
    Situation.NEVER_DELIVERED: "ask again with a later --deadline; `gsp peers {peer}` says how their node does",
    Situation.ANSWERED: "read it: `gsp queries {id}`",
    Situation.REFUSED: "read why: `gsp queries {id}`; a better justification may help, in a new query",
    Situation.DOES_NOT_KNOW: "read it: `gsp queries {id}`; see that the code is typed right: `gsp resolve CODE`",
    Situation.TO_ANSWER: "answer it: `gsp inbox {id}` shows it with a draft, `gsp answer {id}` sends",
    Situation.OVERDUE: "answer it all the same: `gsp answer {id}`",
    Situation.ANSWER_DELIVERED: "nothing",
    Situation.ANSWER_UNDELIVERED: "tell your administrator; `gsp proof export {id}` holds what was sent",
    Situation.NOT_TAKEN: "tell your administrator, who reports it with these words; meanwhile, ask them by another way",
}

_STEPS: Final = {
    Step.QUEUED: "written down; no key of their node was known yet",
    Step.SEALED: "sealed and queued",
    Step.TRIED: "tried",
    Step.HELD: "held for a person here",
    Step.RELEASED: "a person here sent it once more",
    Step.GIVEN_UP: "a person here gave it up",
    Step.DELIVERED: "delivered: their receipt is here",
    Step.RECEIVED: "received, and receipted",
    Step.REPEATED: "came again, sealed anew, and was receipted again",
    Step.EXPIRED: "ended without an answer",
}


def problem_words(code: str) -> str:
    """An error code in few words."""
    return PROBLEMS.get(code, code)


def summary(why: Explanation, *, now: float) -> str:
    """Everything in one line: `queued 10:02, tried 3 times, their clock is 42 s behind, delivered 10:31, due in 5 h`."""
    own = MessageKind.QUERY if why.side is Direction.SENT else MessageKind.ANSWER
    events = [line.event for line in why.lines if line.kind is own and line.event.direction is Direction.SENT]
    begun = [event.first for event in events if event.step in (Step.QUEUED, Step.SEALED)]
    tries = sum(event.count for event in events if event.step is Step.TRIED)
    arrived = [event.first for event in events if event.step is Step.DELIVERED]
    parts = [
        *(f"received {_when(line.event.first, now)}" for line in why.lines if _has_come(line, why.side)),
        *([f"queued {_when(min(begun), now)}"] if begun else []),
        *([f"tried {_times(tries + len(arrived))}"] if tries else []),
        *clock_words(why.seen),
        *([f"delivered {_when(arrived[0], now)}"] if arrived else []),
        *(f"an answer came {_when(line.event.first, now)}" for line in why.lines if _is_their_answer(line)),
        *due_words(why, now=now),
    ]
    return ", ".join(parts) or SHORT[why.situation]


def _has_come(line: WhyLine, side: Direction) -> bool:
    return side is Direction.RECEIVED and line.kind is MessageKind.QUERY and line.event.step is Step.RECEIVED


def _is_their_answer(line: WhyLine) -> bool:
    return line.kind is MessageKind.ANSWER and line.event.step is Step.RECEIVED


_SETTLED: Final = frozenset(
    {
        Situation.ANSWERED,
        Situation.REFUSED,
        Situation.DOES_NOT_KNOW,
        Situation.ANSWER_DELIVERED,
        Situation.ANSWER_UNDELIVERED,
        Situation.GIVEN_UP,
    }
)


def due_words(why: Explanation, *, now: float) -> list[str]:
    """When the answer is due, or was; nothing when there is one."""
    if why.situation in _SETTLED or not why.deadline:
        return []
    left = why.deadline - now
    return [f"due in {duration(left)}" if left >= 0 else f"due {duration(-left)} ago"]


def clock_words(seen: PeerSeen) -> list[str]:
    """How far the other clock is off, when it is more than a moment."""
    if seen.offset_ms is None or abs(seen.offset_ms) < 1_000:
        return []
    return [f"their clock is {offset_words(seen.offset_ms)}"]


def offset_words(offset_ms: int) -> str:
    """How far another clock is ahead of this one."""
    return f"{duration(abs(offset_ms) / 1_000)} {'ahead' if offset_ms > 0 else 'behind'}"


def explanation_lines(why: Explanation, *, now: float) -> Iterator[str]:
    """All of it, for a screen."""
    party = f"{why.peer_name} ({why.peer})" if why.peer_name else why.peer
    way = "to" if why.side is Direction.SENT else "from"
    yield f"Query     {why.message_id.hex()} {way} {party}"
    yield f"State     {SHORT[why.situation]}"
    yield f"In short  {summary(why, now=now)}"
    yield "Happened"
    yield from (f"  {line}" for line in happened(why))
    yield f"Waits     {WAITS[why.situation]}{_reason(why)}"
    yield f"Next      {next_words(why, now=now)}"
    yield f"You can   {advice(why)}"


def _reason(why: Explanation) -> str:
    if why.said:
        return f": {why.said}"
    return f" ({problem_words(why.problem)})" if why.problem and why.situation in RETRYING else ""


def happened(why: Explanation) -> Iterator[str]:
    """The timeline, a line for each kind of thing that happened."""
    for line in why.lines:
        event, subject = line.event, "the query" if line.kind is MessageKind.QUERY else "the answer"
        span = clock(event.first) if event.count == 1 else f"{clock(event.first)} to {clock(event.last)}"
        yield f"{span}  {subject}: {step_words(line)}"


def step_words(line: WhyLine) -> str:
    """One line of the timeline without its time."""
    event = line.event
    words = _STEPS[event.step]
    if event.step is Step.TRIED:
        words = f"tried {_times(event.count)}: {problem_words(event.reason)}"
    elif event.step is Step.SEALED and event.count > 1:
        words = f"sealed and queued, and sealed anew {_times(event.count - 1)} because a key there had ended"
    elif event.count > 1:
        words = f"{words}, {_times(event.count)}"
    if event.offset_ms is not None and abs(event.offset_ms) >= 1_000:
        words = f"{words}; their clock was {offset_words(event.offset_ms)}"
    return words


def next_words(why: Explanation, *, now: float) -> str:
    """What happens by itself, and when."""
    if why.situation is Situation.TO_ANSWER:
        if why.automation is Automation.AUTOMATIC:
            return "the policy answers by itself as soon as the data are complete"
        return f"nothing by itself: an officer has to answer, {due_words(why, now=now)[0]}"
    if why.situation not in RETRYING:
        return NEXT[why.situation]
    when = "now" if why.next_attempt <= now else f"in {duration(why.next_attempt - now)}"
    woken = ", or as soon as their node calls" if why.situation is Situation.UNREACHABLE else ""
    before = f"; {why.ahead} were queued before it" if why.ahead else ""
    return f"the node tries again by itself, {when}{woken}{before}"


def advice(why: Explanation) -> str:
    """What the officer can do."""
    ours = next((line.event.message_id for line in reversed(why.lines) if line.event.direction is Direction.SENT), why.message_id)
    return ADVICE[why.situation].format(id=why.message_id.hex(), message=ours.hex(), peer=why.peer)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _when(seconds: float, now: float) -> str:
    """The time of day when it was today, by UTC; else with the day."""
    then, today = datetime.fromtimestamp(seconds, tz=UTC), datetime.fromtimestamp(now, tz=UTC).date()
    return f"{then:%H:%M}" if then.date() == today else f"{then:%Y-%m-%d %H:%M}"


def duration(seconds: float) -> str:
    """In the largest unit that says enough."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
