"""How other Parties' nodes do, to protobuf and back. Strict and total, as in `desk_wire`."""

from __future__ import annotations

from collections.abc import Iterable

from federation import limits
from federation.identity import PartyId, party_id
from federation.trust.roster import Status
from federation.wire.strict import at_most, seconds, total
from node.limits import PEER_WAITING_SHOWN_MAX
from node.rpc.desk_wire import decode_outgoing, encode_outgoing, name
from node.rpc.why_wire import decode_seen, encode_seen
from node.use_cases.why_values import PeerView, Weather
from node.v1 import desk_pb2


@total
def decode_peers_request(message: desk_pb2.PeersRequest) -> PartyId | None:
    """Which Party; None for all of them."""
    return party_id(message.party) if message.party else None


def encode_peers(peers: Iterable[PeerView]) -> desk_pb2.PeersReply:
    return desk_pb2.PeersReply(
        peers=[
            desk_pb2.PeerView(
                party=peer.party,
                name=peer.name,
                node=peer.node,
                endpoint=peer.endpoint,
                status=peer.status,
                weather=peer.weather,
                seen=encode_seen(peer.seen),
                waiting=peer.waiting,
                waiting_since=peer.waiting_since,
                rows=[encode_outgoing(row) for row in peer.rows],
            )
            for peer in peers
        ]
    )


@total
def decode_peers(message: desk_pb2.PeersReply) -> tuple[PeerView, ...]:
    at_most(len(message.peers), limits.PARTIES_MAX, "peers")
    return tuple(_decode_peer(peer) for peer in message.peers)


def _decode_peer(message: desk_pb2.PeerView) -> PeerView:
    at_most(len(message.rows), PEER_WAITING_SHOWN_MAX, "rows")
    return PeerView(
        party=party_id(message.party),
        name=name(message.name),
        node=name(message.node),
        endpoint=name(message.endpoint),
        status=Status(message.status),
        weather=Weather(message.weather),
        seen=decode_seen(message.seen),
        waiting=message.waiting,
        waiting_since=seconds(message.waiting_since),
        rows=tuple(decode_outgoing(row) for row in message.rows),
    )
