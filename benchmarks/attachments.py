"""A file of 20 MiB from one node to another, beside a plain gRPC stream of the same bytes over mutual TLS in the same run.

What the node does more: reads and writes the disk, hashes, forces the file to the disk, two journals, and a signed receipt that goes
back. `python -m benchmarks.attachments` prints the figures alone.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from hashlib import sha512
from pathlib import Path

from benchmarks.echo import floor_stream
from benchmarks.federation import Bench, federation
from federation.delivery.attachment import AttachmentState
from federation.delivery.direction import Direction
from federation.envelope.attachment import AttachmentId, FileFacts, MediaType
from federation.envelope.suite import stream_size
from federation.identity import MessageId, PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS
from federation.query.query import CodeAsked
from federation.trust.keys import officer_message
from node import limits as node_limits
from node.use_cases.desk_values import Question

SIZE = 20 * 2**20
ROUNDS = 5
PATIENCE_S = 60.0
LOOK_S = 0.002


async def transfers(folder: Path) -> dict[str, float]:
    """Seconds of the floor, of a transfer from the signed question to the file's receipt, and of bringing one to the own node; MiB by
    which the receiver's peak grew.
    """
    floor = statistics.median(await floor_stream(stream_size(SIZE), ROUNDS))
    async with federation(folder) as bench:
        await _one(bench, 2**20)  # both nodes know each other's streams
        assert bench.neighbour is not None
        before = _peak_mib(bench.neighbour.pid)
        times = [await _one(bench, SIZE) for _ in range(ROUNDS)]
        grown = _peak_mib(bench.neighbour.pid) - before
    brought, crossed = (statistics.median(one) for one in zip(*times, strict=True))
    return {"floor_s": floor, "s": crossed, "ratio": crossed / floor, "brought_s": brought, "receiver_grew_mib": grown}


async def _one(bench: Bench, size: int) -> tuple[float, float]:
    data = b"\xff\xd8\xff\xe0".ljust(size, b"\x5a")
    start = time.perf_counter()
    identifier = await _brought(bench, data)
    brought = time.perf_counter() - start
    query = await _asked(bench, identifier)
    start = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        while not await _is_delivered(bench, query):
            await asyncio.sleep(LOOK_S)
    return brought, time.perf_counter() - start


async def _brought(bench: Bench, data: bytes) -> AttachmentId:
    desk = bench.asking.attachment_desk
    facts = FileFacts(name="lorry.jpg", media_type=MediaType.JPEG, size=len(data), sha512=sha512(data).digest())
    identifier = await desk.begin_attachment(bench.officer, facts)
    for offset in range(0, len(data), node_limits.UPLOAD_CHUNK_BYTES):
        piece = data[offset : offset + node_limits.UPLOAD_CHUNK_BYTES]
        await desk.add_to_attachment(bench.officer, identifier, offset, piece)
    return identifier


async def _asked(bench: Bench, identifier: AttachmentId) -> MessageId:
    code = next(iter(bench.showcases.values()))
    question = Question(
        party=PartyId("qn"),
        codes=(CodeAsked(key=code, scan=code),),
        items=ALL_ITEMS,
        purpose=Purpose.DETECTION,
        necessity="a lorry at the border",
        handling=HandlingCode.H1,
        urgency=Urgency.NORMAL,
        reference="",
        deadline_s=86_400,
        attachments=(identifier,),
    )
    prepared = await bench.asking.desk.prepare_query(bench.officer, bench.certificate, question)
    signature = bench.signer.sign(officer_message(prepared.statement))
    await bench.asking.desk.submit_query(bench.officer, prepared.message_id, signature)
    return prepared.message_id


async def _is_delivered(bench: Bench, query: MessageId) -> bool:
    (row,) = await bench.asking.offering.rows.attachments(Direction.SENT, query)
    return row.state is AttachmentState.DELIVERED


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def transfer_lines(figures: dict[str, float]) -> list[str]:
    """For people."""
    return [
        "a file of 20 MiB from node to node, until its receipt is back, against a plain gRPC stream of the same bytes",
        f"  {figures['s'] * 1e3:.0f} ms   {figures['floor_s'] * 1e3:.0f} ms   {figures['ratio']:.2f} x",
        f"  bringing it to the own node  {figures['brought_s'] * 1e3:.0f} ms",
        f"  the receiving process grew by {figures['receiver_grew_mib']:.0f} MiB",
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sys.stdout.write("\n".join(transfer_lines(asyncio.run(transfers(Path(temporary))))) + "\n")
