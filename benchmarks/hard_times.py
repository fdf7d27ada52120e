"""What a peer that was away costs, what officers' answers cost, and what a node takes of memory, with real processes.

The figures that have a floor are given beside it: a message by hand beside its share of the echo, the memory of a node beside that
of a process which has imported the same libraries and does nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.federation import BY_HAND, Bench, federation
from federation.identity import MessageId
from federation.query.lifecycle import AskedState
from federation.trust.keys import SoftwareSigner, officer_message
from node.rpc.desk import DeskClient

WAITING: Final = 50
"""Questions that wait while the peer is away."""
SHORT_S: Final = 10.0
LONG_S: Final = 600.0
IN_FLIGHT: Final = 32
_LIMIT_S: Final = 120.0
_LIBRARIES: Final = (
    "import cryptography.x509, google.protobuf.message, grpc.aio, nacl.signing, sqlite3, sys; print(flush=True); sys.stdin.read()"
)


async def hard_times(folder: Path, *, key: str, queries: int, long: bool) -> dict[str, Any]:
    """Recovery after outages, memory and answers by hand.

    Args:
        folder: an empty one.
        key: name of the story whose code is asked about.
        queries: in each measurement.
        long: also with an outage of ten minutes, in earnest.
    """
    folder.mkdir()
    outages = (SHORT_S, LONG_S) if long else (SHORT_S,)
    async with federation(folder / "machine") as bench:
        assert bench.neighbour is not None
        idle = _resident_mib(bench.neighbour.pid)
        for _ in range(queries):
            await bench.ask(bench.showcases[key])
        busy = _resident_mib(bench.neighbour.pid)
        recovered = [{"outage_s": outage} | await _recovery(bench, bench.showcases[key], outage) for outage in outages]
    async with federation(folder / "cable", with_cable=True) as bench:
        mended = [{"outage_s": outage} | await _mending(bench, bench.showcases[key], outage) for outage in outages]
    async with federation(folder / "hand", policy=BY_HAND) as bench:
        by_hand = await _by_hand(bench, bench.showcases[key], queries)
    return {
        "memory": {"idle_mib": idle, "busy_mib": busy, "libraries_mib": _libraries_mib()},
        "recovery": recovered,
        "mended": mended,
        "by_hand_messages_per_s": by_hand,
    }


async def _recovery(bench: Bench, key: str, outage_s: float) -> dict[str, float]:
    """Seconds from the moment at which the peer says that it is ready until everything that waited is answered."""
    assert bench.neighbour is not None
    await bench.neighbour.kill()
    began = time.monotonic()
    asked = [(await bench.ask(key)).asked.message_id for _ in range(WAITING)]
    await asyncio.sleep(max(0.0, outage_s - (time.monotonic() - began)))
    starting = time.monotonic()
    await bench.neighbour.start()
    ready = time.monotonic()
    async with asyncio.timeout(_LIMIT_S):
        await asyncio.gather(*(_answered(bench, one) for one in asked))
    return {"start_s": ready - starting, "after_ready_s": time.monotonic() - ready, "waiting": WAITING}


async def _mending(bench: Bench, key: str, outage_s: float) -> dict[str, float]:
    """Seconds from the moment at which a cut cable is whole again until everything that waited is answered. Nobody tells the nodes."""
    for end in bench.cable:
        end.cut()
    began = time.monotonic()
    asked = [(await bench.ask(key)).asked.message_id for _ in range(WAITING)]
    await asyncio.sleep(max(0.0, outage_s - (time.monotonic() - began)))
    for end in bench.cable:
        end.mend()
    mended = time.monotonic()
    async with asyncio.timeout(_LIMIT_S):
        await asyncio.gather(*(_answered(bench, one) for one in asked))
    return {"after_mended_s": time.monotonic() - mended, "waiting": WAITING}


async def _answered(bench: Bench, message_id: MessageId) -> None:
    while (await bench.asking.desk.query(bench.officer, message_id, wait_s=1.0)).asked.state is not AskedState.ANSWERED:
        pass


async def _by_hand(bench: Bench, key: str, queries: int) -> float:
    """Messages a second: questions, and answers that an officer makes from the draft and signs over the desk's own calls."""
    signer = SoftwareSigner(bench.answering.officer_seed)
    room = asyncio.Semaphore(IN_FLIGHT)
    async with DeskClient(**bench.at_desk(bench.answering)) as desk:

        async def one() -> None:
            async with room:
                asked = (await bench.ask(key)).asked.message_id
                draft = (await desk.inbox_entry(asked)).draft
                prepared = await desk.prepare_answer(asked, draft)
                await desk.submit_answer(prepared.message_id, signer.sign(officer_message(prepared.statement)))
                await _answered(bench, asked)

        await one()
        start = time.perf_counter()
        async with asyncio.timeout(_LIMIT_S), asyncio.TaskGroup() as tasks:
            for _ in range(queries):
                tasks.create_task(one())
        return 2 * queries / (time.perf_counter() - start)


def _resident_mib(pid: int) -> float:
    """What a process holds in memory now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def _libraries_mib() -> float:
    """The same of a process with the libraries and nothing of ours; the median of three."""
    held = []
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", _LIBRARIES], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            held.append(_resident_mib(process.pid))
            process.kill()
    return statistics.median(held)


def hard_times_lines(figures: dict[str, Any]) -> list[str]:
    """For people."""
    memory = figures["memory"]
    return [
        "",
        "hard times, with real processes",
        *(
            f"  back after {one['outage_s']:3.0f} s                all {one['waiting']} waiting questions answered"
            f" {one['after_ready_s']:.2f} s after its node was ready"
            for one in figures["recovery"]
        ),
        *(
            f"  a cable cut for {one['outage_s']:3.0f} s          all {one['waiting']} waiting questions answered"
            f" {one['after_mended_s']:.2f} s after it was whole again"
            for one in figures["mended"]
        ),
        f"  questions and answers by hand {figures['by_hand_messages_per_s']:6.0f} messages/s with {IN_FLIGHT} cases under way",
        (
            f"  memory of a node              {memory['idle_mib']:6.0f} MiB idle   {memory['busy_mib']:.0f} MiB after the queries"
            f"   {memory['libraries_mib']:.0f} MiB of it are the libraries"
        ),
    ]
