"""The directory at the own node's desk: what officers read of it, over calls that they sign. Any officer of the Party may."""

from __future__ import annotations

from typing import Final

from federation import limits
from federation.boundary.directory import claimed_checkpoint
from federation.errors import Malformed, Oversized
from federation.trust.log_copy import LogCopy
from federation.v1 import directory_pb2
from federation.wire import strict
from node.rpc.calls import Method, Routes
from node.rpc.directory import read_span
from node.rpc.officer import Caller, OfficerGate
from node.rpc.signed import SignedLine, admitted
from node.use_cases.directory_reads import DirectoryReads

CHECKPOINT: Final = Method(
    path="/node.v1.Registry/Checkpoint", request=directory_pb2.CheckpointRequest, reply=directory_pb2.CheckpointReply
)
ENTRIES: Final = Method(path="/node.v1.Registry/Entries", request=directory_pb2.EntriesRequest, reply=directory_pb2.EntriesReply)


class RegistryServicer:
    """Lets officers in through the gate; decodes, reads, encodes."""

    def __init__(self, reads: DirectoryReads, gate: OfficerGate) -> None:
        self._reads = reads
        self._gate = gate

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict((admitted(self._gate, CHECKPOINT, self._checkpoint), admitted(self._gate, ENTRIES, self._entries)))

    async def _checkpoint(self, _caller: Caller, _request: directory_pb2.CheckpointRequest) -> directory_pb2.CheckpointReply:
        return directory_pb2.CheckpointReply(checkpoint=await self._reads.checkpoint())

    async def _entries(self, _caller: Caller, request: directory_pb2.EntriesRequest) -> directory_pb2.EntriesReply:
        return directory_pb2.EntriesReply(leaves=await self._reads.entries(*read_span(request.start, request.end)))


class RegistryClient(SignedLine):
    """The directory of the own node, for one officer and for the length of a block."""

    async def copy(self) -> LogCopy:
        """The whole log as the node has accepted it. It is verified by whoever uses it.

        Raises:
            Malformed: the node shows a checkpoint without its entries.
            Oversized: more than any directory has.
        """
        checkpoint = (await self.call(CHECKPOINT, directory_pb2.CheckpointRequest())).checkpoint
        size = claimed_checkpoint(checkpoint).size
        if size == 0:
            raise Malformed("the node shows a directory without its first entry")
        leaves: list[bytes] = []
        room = limits.DIRECTORY_BYTES_MAX
        while len(leaves) < size:
            page = (await self.call(ENTRIES, directory_pb2.EntriesRequest(start=len(leaves), end=size))).leaves
            if not page:
                raise Malformed("the node shows a checkpoint without its entries")
            strict.at_most(len(page), limits.ENTRIES_PER_REPLY_MAX, "entries")
            room -= sum(map(len, page))
            if room < 0:
                raise Oversized("the node shows more entries than any directory has")
            leaves += page
        return LogCopy(checkpoint=checkpoint, leaves=tuple(leaves))
