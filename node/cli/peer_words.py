"""How other Parties' nodes do, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from federation.ports import PeerSeen
from node.cli.output import clock, columns
from node.cli.why_words import duration, offset_words, problem_words
from node.use_cases.weather import delay_ms
from node.use_cases.why_values import PeerView, Weather

WEATHERS: Final = {
    Weather.FAIR: "nothing",
    Weather.NEVER_MET: "nothing was exchanged with it yet",
    Weather.CLOCK: "one of the two clocks is off; beyond five minutes nothing arrives any more",
    Weather.CERTIFICATE: "its certificate is about to end, or has ended: its operator should know",
    Weather.TROUBLE: "it is there, and did not do what was asked of it last",
    Weather.UNREACHABLE: "its node cannot be reached",
    Weather.SUSPENDED: "it is suspended: nothing is exchanged with it",
}
UNKNOWN: Final = "unknown"


def peers_table(peers: Sequence[PeerView], *, now: float) -> list[str]:
    """One line for each Party that has a node."""
    head = ("PARTY", "REACHED", "HEARD", "FAILED", "DELAY", "CLOCK", "CERTIFICATE", "VERSION", "WAITING", "WORST")
    rows = [
        (
            peer.party,
            ago(peer.seen.reached, now),
            ago(peer.seen.heard, now),
            str(peer.seen.failures),
            delay_words(peer.seen),
            clock_off(peer.seen),
            certificate_words(peer.seen, now),
            peer.seen.version or UNKNOWN,
            str(peer.waiting),
            worst(peer),
        )
        for peer in peers
    ]
    return columns([head, *rows]) if rows else ["The directory here lists no other Party's node."]


def peer_lines(peer: PeerView, *, now: float) -> Iterator[str]:
    """One Party's node with what waits for it."""
    seen = peer.seen
    yield f"Party        {peer.name} ({peer.party}), {peer.status}"
    yield f"Node         {peer.node} at {peer.endpoint}"
    yield f"Worst        {worst(peer)}"
    yield f"Reached      {_moment(seen.reached, now)}"
    yield f"Heard        {_moment(seen.heard, now)}"
    if seen.failures:
        yield f"Failed       {seen.failures} calls in a row, since {clock(seen.failing_since)}: {problem_words(seen.problem)}"
    of = f", the median of the last {len(seen.round_trips_ms)} calls" if seen.round_trips_ms else ""
    yield f"Delay        {delay_words(seen)}{of}"
    told = f", told {ago(seen.offset_at, now)} ago" if seen.offset_ms is not None else ""
    yield f"Clock        {clock_off(seen)}{told}"
    shown = f", as shown {ago(seen.certificate_seen, now)} ago" if seen.certificate_seen else ""
    yield f"Certificate  {certificate_words(seen, now)}{shown}"
    yield f"Version      {seen.version or 'unknown: it does not say (0.1.0 says nothing)'}"
    oldest = f", the oldest since {clock(peer.waiting_since)}" if peer.waiting else ""
    yield f"Waiting      {peer.waiting} messages{oldest}"
    for row in peer.rows:
        problem = f": {problem_words(row.problem)}" if row.problem else ""
        yield f"             {row.message_id.hex()} {row.kind}, tried {row.attempts} times{problem}"
    if peer.waiting > len(peer.rows):
        yield f"             and {peer.waiting - len(peer.rows)} more"


def worst(peer: PeerView) -> str:
    """The worst that there is to say, with its reason."""
    words = WEATHERS[peer.weather]
    return f"{words}: {problem_words(peer.seen.problem)}" if peer.weather is Weather.TROUBLE else words


def delay_words(seen: PeerSeen) -> str:
    """How long a call takes there and back."""
    delay = delay_ms(seen)
    return f"{delay} ms" if delay is not None else UNKNOWN


def clock_off(seen: PeerSeen) -> str:
    """How far the other clock is off."""
    if seen.offset_ms is None:
        return UNKNOWN
    return "agrees" if abs(seen.offset_ms) < 1_000 else offset_words(seen.offset_ms)


def certificate_words(seen: PeerSeen, now: float) -> str:
    """How long the certificate is good that was seen last."""
    if not seen.certificate_ends:
        return UNKNOWN
    left = seen.certificate_ends - now
    return f"{duration(left)} left" if left >= 0 else f"ended {duration(-left)} ago"


def ago(seconds: int, now: float) -> str:
    """How long ago something was; `never` when it never was."""
    return duration(max(0.0, now - seconds)) if seconds else "never"


def _moment(seconds: int, now: float) -> str:
    return f"{clock(seconds)}, {ago(seconds, now)} ago" if seconds else "never"
