"""What the fake desk says of its queries and its peers: Orsenna's clock is behind, and Poldavia has been away for an hour."""

from __future__ import annotations

from collections.abc import Mapping

from federation.delivery.timeline import Step, TimelineEvent
from federation.envelope.header import MessageKind
from federation.identity import MessageId, PartyId
from federation.ports import Direction, PeerSeen
from federation.query.lifecycle import AskedState
from federation.trust.roster import Status
from node.use_cases.desk_values import QueryView
from node.use_cases.explaining import delivering, said
from node.use_cases.weather import weather_of
from node.use_cases.why_values import Explanation, PeerView, Situation, WhyLine


def explanation(view: QueryView) -> Explanation:
    """Of a query as it stands at the fake desk."""
    asked, outgoing = view.asked, view.outgoing
    lines = [_line(asked.message_id, Step.SEALED, asked.created)]
    if outgoing is not None:
        lines.append(_line(asked.message_id, Step.TRIED, asked.created, reason=outgoing.problem, count=outgoing.attempts))
    else:
        lines.append(_line(asked.message_id, Step.DELIVERED, asked.created + 60, offset_ms=-42_000))
    situations = {
        AskedState.QUEUED: delivering(asked.problem),
        AskedState.DELIVERED: Situation.IN_PART if asked.answer_ids else Situation.WAITING,
        AskedState.ANSWERED: said([answer.answer for answer in view.answers]),
    }
    return Explanation(
        message_id=asked.message_id,
        side=Direction.SENT,
        peer=asked.peer,
        peer_name=view.peer_name,
        situation=situations[asked.state],
        deadline=asked.deadline,
        problem=asked.problem,
        attempts=outgoing.attempts if outgoing is not None else 0,
        next_attempt=outgoing.next_attempt if outgoing is not None else 0.0,
        seen=seen_of(asked.peer, asked.created),
        lines=tuple(lines),
    )


def _line(message_id: MessageId, step: Step, at: int, **more: object) -> WhyLine:
    event = TimelineEvent(direction=Direction.SENT, message_id=message_id, step=step, first=at, last=at, **more)
    return WhyLine(kind=MessageKind.QUERY, event=event)


def seen_of(party: PartyId, now: int) -> PeerSeen:
    """What the node of the fake desk has seen of a peer."""
    if party == "qp":
        return PeerSeen(party=party, heard=now - 3_700, failures=7, failing_since=now - 3_600, problem="unreachable")
    return PeerSeen(
        party=party,
        reached=now - 60,
        heard=now - 5,
        round_trips_ms=(12, 18, 31),
        offset_ms=-42_000 if party == "qo" else 3,
        offset_at=now - 60,
        certificate_ends=now + 5 * 86_400,
        certificate_seen=now - 60,
        version="0.2.0",
    )


def peer_views(names: Mapping[PartyId, str], now: int) -> list[PeerView]:
    """All of them."""
    return [
        PeerView(
            party=party,
            name=name,
            node=f"one.{party}.nodes.gsp.example.org",
            endpoint=f"{party}.example.org:7443",
            status=Status.ACTIVE,
            weather=weather_of(seen_of(party, now), Status.ACTIVE),
            seen=seen_of(party, now),
            waiting=3 if party == "qp" else 0,
            waiting_since=now - 3_600 if party == "qp" else 0,
        )
        for party, name in sorted(names.items())
        if party != "qm"
    ]
