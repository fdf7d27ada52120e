"""The officer's program brings a file in parts, has it taken step by step, and ends whatever the node says."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from federation.errors import Malformed
from federation.identity import PartyId
from node import limits as node_limits
from node.rpc.calls import Method
from node.rpc.parcels import EXPORT, PUT, REPLY, TAKE, ParcelsClient, encode_exported, encode_step
from node.use_cases.carrying_values import Content, Exported, Fate, Outcome, Step
from node.v1 import parcels_pb2

EXPORTED = Exported(
    file=b"back",
    parcel_id=bytes(16),
    party=PartyId("qm"),
    created=1,
    messages=1,
    sealed_anew=0,
    left=0,
    without_key=0,
    receipts=2,
)


@dataclass
class Node:
    """What answers; a step takes so many things, of so many in the file."""

    total: int
    stride: int
    parts: dict[int, bytes] = field(default_factory=dict)
    digests: set[bytes] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)

    async def call(self, method: Method[Any, Any], request: Any) -> Any:
        if method is EXPORT:
            return encode_exported(EXPORTED)
        self.digests.add(request.digest)
        if method is PUT:
            self.parts[request.offset] = request.part
            return parcels_pb2.PutParcelReply()
        if method is REPLY:
            return encode_exported(EXPORTED)
        assert method is TAKE
        self.asked.append(request.start)
        outcome = Outcome(content=Content.MESSAGE, message_id=None, fate=Fate.TAKEN)
        return encode_step(
            Step(
                party=PartyId("qm"),
                parcel_id=bytes(16),
                created=1,
                outcomes=(outcome,) * self.stride,
                done=request.start + self.stride,
                total=self.total,
                entries=0,
                entries_problem="",
            )
        )


@pytest.mark.parametrize("size", [0, 1, node_limits.PARCEL_PART_BYTES, 2 * node_limits.PARCEL_PART_BYTES + 7])
async def test_a_file_comes_whole_in_parts_that_fit_into_a_message(size):
    node, file = Node(total=5, stride=2), bytes(range(256)) * (size // 256 + 1)
    file = file[:size]

    steps = [step async for step in ParcelsClient(node).take(file)]

    assert b"".join(part for _, part in sorted(node.parts.items())) == file
    assert max(map(len, node.parts.values())) <= node_limits.PARCEL_PART_BYTES
    assert node.digests == {sha256(file).digest()}
    assert node.asked == [0, 2, 4]
    assert sum(len(step.outcomes) for step in steps) == 6


async def test_a_node_that_gets_nowhere_is_asked_once():
    node = Node(total=5, stride=0)

    assert len([step async for step in ParcelsClient(node).take(b"file")]) == 1


async def test_a_node_that_tells_of_more_than_a_step_takes_is_not_believed():
    node = Node(total=5, stride=node_limits.PARCEL_ITEMS_PER_CALL + 1)

    with pytest.raises(Malformed):
        [step async for step in ParcelsClient(node).take(b"file")]


async def test_a_file_for_a_party_and_one_that_goes_back_are_given_as_the_node_made_them():
    node = Node(total=0, stride=0)

    assert await ParcelsClient(node).export(PartyId("qm")) == EXPORTED
    assert await ParcelsClient(node).reply(b"file") == EXPORTED
    assert node.digests == {sha256(b"file").digest()}
