"""What is asked for when a proof is made, to protobuf and back."""

from __future__ import annotations

from federation.errors import Malformed
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId, message_id
from federation.wire.strict import total
from node.v1 import desk_pb2


def encode_request(query: MessageId, disclose: Disclosure) -> desk_pb2.ProofRequest:
    """All and nothing as version 0.1.0 asks for them; the others by their word."""
    by_word = disclose not in {Disclosure.ALL, Disclosure.NONE}
    return desk_pb2.ProofRequest(
        message_id=query, disclose=disclose is Disclosure.ALL, disclosure=str(disclose) if by_word else ""
    )


@total
def decode_request(message: desk_pb2.ProofRequest) -> tuple[MessageId, Disclosure]:
    query = message_id(message.message_id)
    if not message.disclosure:
        return query, Disclosure.ALL if message.disclose else Disclosure.NONE
    disclose = Disclosure(message.disclosure)
    if message.disclose or disclose in {Disclosure.ALL, Disclosure.NONE}:
        raise Malformed("what is to be disclosed is said in two ways")
    return query, disclose
