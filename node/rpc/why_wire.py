"""Explanations and what was seen of a peer, to protobuf and back. Strict and total, as in `desk_wire`."""

from __future__ import annotations

from federation import limits
from federation.delivery.timeline import Step
from federation.envelope.header import MessageKind
from federation.errors import Malformed
from federation.identity import message_id, party_id
from federation.ports import Direction, PeerSeen, TimelineEvent
from federation.v1 import exchange_pb2
from federation.wire.query import AUTOMATIONS
from federation.wire.strict import at_most, seconds, text, total
from node import limits as node_limits
from node.use_cases.why_values import Explanation, Situation, WhyLine
from node.v1 import desk_pb2


def encode_explanation(why: Explanation) -> desk_pb2.Explanation:
    return desk_pb2.Explanation(
        message_id=why.message_id,
        side=why.side,
        peer=why.peer,
        peer_name=why.peer_name,
        situation=why.situation,
        deadline=why.deadline,
        problem=why.problem,
        attempts=why.attempts,
        next_attempt=why.next_attempt,
        ahead=why.ahead,
        said=why.said,
        automation=AUTOMATIONS.number(why.automation) if why.automation is not None else exchange_pb2.AUTOMATION_UNSPECIFIED,
        seen=encode_seen(why.seen),
        lines=[_encode_line(line) for line in why.lines],
    )


@total
def decode_explanation(message: desk_pb2.Explanation) -> Explanation:
    if not 0 <= message.next_attempt <= limits.TIME_S_MAX:
        raise Malformed("a time is beyond what a calendar can show")
    at_most(len(message.lines), node_limits.WHY_LINES_MAX, "lines")
    return Explanation(
        message_id=message_id(message.message_id),
        side=Direction(message.side),
        peer=party_id(message.peer),
        peer_name=_name(message.peer_name),
        situation=Situation(message.situation),
        deadline=seconds(message.deadline),
        problem=_name(message.problem),
        attempts=message.attempts,
        next_attempt=message.next_attempt,
        ahead=message.ahead,
        said=text(message.said, node_limits.ERROR_TEXT_CHARACTERS_MAX, "what was said"),
        automation=AUTOMATIONS.value(message.automation) if message.automation else None,
        seen=decode_seen(message.seen),
        lines=tuple(_decode_line(line) for line in message.lines),
    )


def _encode_line(line: WhyLine) -> desk_pb2.TimelineLine:
    event = line.event
    return desk_pb2.TimelineLine(
        kind=line.kind,
        direction=event.direction,
        message_id=event.message_id,
        step=event.step,
        reason=event.reason,
        first=event.first,
        last=event.last,
        count=event.count,
        offset_ms=event.offset_ms,
    )


def _decode_line(message: desk_pb2.TimelineLine) -> WhyLine:
    event = TimelineEvent(
        direction=Direction(message.direction),
        message_id=message_id(message.message_id),
        step=Step(message.step),
        reason=_name(message.reason),
        first=seconds(message.first),
        last=seconds(message.last),
        count=message.count,
        offset_ms=_offset(message),
    )
    return WhyLine(kind=MessageKind(message.kind), event=event)


def encode_seen(seen: PeerSeen) -> desk_pb2.PeerSeen:
    return desk_pb2.PeerSeen(
        party=seen.party,
        reached=seen.reached,
        heard=seen.heard,
        failures=seen.failures,
        failing_since=seen.failing_since,
        problem=seen.problem,
        round_trips_ms=seen.round_trips_ms,
        offset_ms=seen.offset_ms,
        offset_at=seen.offset_at,
        certificate_ends=seen.certificate_ends,
        certificate_seen=seen.certificate_seen,
        version=seen.version,
    )


@total
def decode_seen(message: desk_pb2.PeerSeen) -> PeerSeen:
    at_most(len(message.round_trips_ms), node_limits.PEER_ROUND_TRIPS_KEPT, "round trips")
    return PeerSeen(
        party=party_id(message.party),
        reached=seconds(message.reached),
        heard=seconds(message.heard),
        failures=message.failures,
        failing_since=seconds(message.failing_since),
        problem=_name(message.problem),
        round_trips_ms=tuple(message.round_trips_ms),
        offset_ms=_offset(message),
        offset_at=seconds(message.offset_at),
        certificate_ends=seconds(message.certificate_ends),
        certificate_seen=seconds(message.certificate_seen),
        version=_name(message.version),
    )


def _offset(message: desk_pb2.TimelineLine | desk_pb2.PeerSeen) -> int | None:
    """Of a clock that is off by centuries, too; but not by more than there are years."""
    if not message.HasField("offset_ms"):
        return None
    if abs(message.offset_ms) > 1_000 * limits.TIME_S_MAX:
        raise Malformed("a clock is further off than a calendar can show")
    return message.offset_ms


def _name(value: str) -> str:
    return text(value, limits.NAME_CHARACTERS_MAX, "a name")
