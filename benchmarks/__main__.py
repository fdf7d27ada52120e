"""`make bench`: every figure next to a floor that was measured in the same run.

One automatic query is everything from the officer's question to the verified, written-down answer: composing, the officer's
signature, sealing, two commits there and two here, one round trip, the receipt, and the answer item by item.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.directory import replaying
from benchmarks.echo import floor_in_flight, floor_one_at_a_time, in_flight_rate, one_at_a_time
from benchmarks.federation import federation
from benchmarks.hard_times import hard_times, hard_times_lines
from benchmarks.resolving import resolving
from benchmarks.revocation import revocation_on_sight
from benchmarks.sealing import sealing
from benchmarks.stages import stages
from benchmarks.withdrawal import withdrawal

SHOWCASE = "pack-in-warehouse"
"""A pack that was made, packed and shipped once: all items, a few movements."""


def main() -> int:
    """Measure, print, and write nothing else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=600, help="queries in each measurement")
    parser.add_argument("--long", action="store_true", help="also wait through an outage of ten minutes")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.queries, long=arguments.long))
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        show(figures)
    return 0


async def measure(queries: int, *, long: bool) -> dict[str, Any]:
    """All figures of one run. Times in milliseconds."""
    echo = await floor_one_at_a_time(queries)
    echo_rate = await floor_in_flight(queries * 5)
    floor_ms = statistics.median(echo) * 1e3
    with tempfile.TemporaryDirectory() as folder:
        commit_ms = commit_floor(Path(folder))
        two = await two_processes(Path(folder) / "two", queries)
        both = await one_process(Path(folder) / "one", queries // 2)
        hard = await hard_times(Path(folder) / "hard", key=SHOWCASE, queries=queries // 2, long=long)
    refused_ms = statistics.median(await revocation_on_sight()) * 1e3
    seals = {
        name: {"ms": ours * 1e3, "primitives_ms": bare * 1e3, "ratio": ours / bare} for name, (ours, bare) in sealing().items()
    }
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "floor": {
            "echo_p50_ms": floor_ms,
            "echo_p99_ms": percentile(echo, 0.99) * 1e3,
            "echo_64_in_flight_per_s": echo_rate,
            "commit_p50_ms": commit_ms,
        },
        "query": {name: value for name, value in two.items() if name != "withdrawal"}
        | {"p50_to_echo": two["p50_ms"] / floor_ms, "p99_to_echo": two["p99_ms"] / floor_ms},
        "stages": both,
        "hard_times": hard,
        "sealing": seals,
        "revocation": {"told_to_refused_p50_ms": refused_ms, "to_two_echoes": refused_ms / (2 * floor_ms)},
        "directory": replaying(),
        "resolving": resolving(),
        "withdrawal": two["withdrawal"] | {"to_floor": two["withdrawal"]["ms"] / (2 * floor_ms + commit_ms)},
    }


async def two_processes(folder: Path, queries: int) -> dict[str, Any]:
    """The whole query between two node processes: one at a time, and with 64 in flight."""
    folder.mkdir()
    async with federation(folder) as bench:
        key = bench.showcases[SHOWCASE]
        times = await one_at_a_time(lambda: bench.ask(key), queries)
        rate = await in_flight_rate(lambda: bench.ask(key), queries * 2, 64)
        refusal = await withdrawal(bench)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "p50_ms": percentile(times, 0.5) * 1e3,
        "p99_ms": percentile(times, 0.99) * 1e3,
        "64_in_flight_per_s": rate,
        "asking_process_peak_mib": memory,
        "withdrawal": refusal,
    }


async def one_process(folder: Path, queries: int) -> dict[str, float]:
    """The same with both nodes in one process, so that every stage can be timed. Milliseconds."""
    folder.mkdir()
    async with federation(folder, together=True) as bench:
        key = bench.showcases[SHOWCASE]
        whole, parts = await stages(lambda: bench.ask(key), queries)
    rest = whole - sum(parts.values())
    ordered = sorted(parts.items(), key=lambda part: -part[1])
    return {"whole": whole * 1e3} | {name: seconds * 1e3 for name, seconds in ordered} | {"transport and the rest": rest * 1e3}


def commit_floor(folder: Path, rounds: int = 200) -> float:
    """One row, one commit, WAL and synchronous=FULL, with nothing around it. Median milliseconds."""
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID")
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?, ?)", (os.urandom(16), os.urandom(400)))
        connection.execute("COMMIT")
        times.append(time.perf_counter() - start)
    connection.close()
    return statistics.median(times) * 1e3


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(figures: dict[str, Any]) -> None:
    """Print for people."""
    floor, query, parts = figures["floor"], figures["query"], figures["stages"]
    lines = [
        figures["machine"],
        "",
        "floor, measured in this run",
        f"  mTLS echo, one at a time     p50 {floor['echo_p50_ms']:6.2f} ms   p99 {floor['echo_p99_ms']:6.2f} ms",
        f"  mTLS echo, 64 in flight      {floor['echo_64_in_flight_per_s']:6.0f} /s",
        f"  SQLite, one durable commit   p50 {floor['commit_p50_ms']:6.2f} ms",
        "",
        "one automatic query, two node processes",
        (
            f"  one at a time                p50 {query['p50_ms']:6.2f} ms   p99 {query['p99_ms']:6.2f} ms"
            f"   {query['p50_to_echo']:.1f} x and {query['p99_to_echo']:.1f} x the echo's p50"
        ),
        (
            f"  64 in flight                 {query['64_in_flight_per_s']:6.0f} /s"
            f"   ({query['64_in_flight_per_s'] / floor['echo_64_in_flight_per_s']:.1%} of the echo)"
        ),
        f"  asking process               {query['asking_process_peak_mib']:6.0f} MiB at its peak",
        "",
        "where the time goes, both nodes in one process: they wait for one loop, so waiting weighs more here than above",
        *(f"  {name:<35}{ms:6.2f} ms  {ms / parts['whole']:6.1%}" for name, ms in parts.items()),
        "",
        "sealing against the sum of its primitives",
        *(
            f"  {name:<29}{one['ms']:6.3f} ms   {one['primitives_ms']:6.3f} ms   {one['ratio']:.2f} x"
            for name, one in figures["sealing"].items()
        ),
        "",
        "from the word that a key counts no more to the refusal of its holder, at a peer, without the Secretariat",
        (
            f"  told to refused              p50 {figures['revocation']['told_to_refused_p50_ms']:6.2f} ms"
            f"   {figures['revocation']['to_two_echoes']:.1f} x two echoes"
        ),
        "from an administrator's withdrawal of a right to the refusal of the officer's next call, both signed and over TLS",
        (
            f"  withdrawal and refusal       p50 {figures['withdrawal']['ms']:6.2f} ms"
            f"   {figures['withdrawal']['to_floor']:.1f} x two echoes and a commit"
        ),
        f"  a call that is let in        p50 {figures['withdrawal']['call_ms']:6.2f} ms",
    ]
    lines += hard_times_lines(figures["hard_times"])
    lines += directory_lines(figures["directory"])
    lines += resolving_lines(figures["resolving"])
    sys.stdout.write("\n".join(lines) + "\n")


def directory_lines(figures: dict[str, Any]) -> list[str]:
    """The directory against its hashes and signatures."""
    size, *measured = figures.items()
    return [
        "",
        f"the directory of 200 Parties after five years: {size[1]['all']:.0f} entries, {size[1]['MiB']:.1f} MiB",
        "against hashing its entries and checking their signatures",
        *(f"  {name:<35}{one['ms']:9.2f} ms   {one['floor_ms']:9.2f} ms   {one['ratio']:.2f} x" for name, one in measured),
    ]


def resolving_lines(figures: dict[str, Any]) -> list[str]:
    """Codes against patterns, beside other ways of doing it."""
    ways = {"library": figures["library"], "library, one code at a time": figures["singly"], **figures["others"]}
    grown = ", ".join(
        f"{size}: {one['hit_ns']:.0f} ns (built in {one['build_ms']:.0f} ms)" for size, one in figures["growth"].items()
    )
    return [
        "",
        f"whose code is it: {figures['patterns']} patterns of {figures['parties']} Parties, ns a code, in bulk",
        f"  {'':<38}{'hits':>12}{'misses':>12}{'hostile':>12}",
        *(f"  {name:<38}{one['hits']:12.0f}{one['misses']:12.0f}{one['hostile']:12.0f}" for name, one in ways.items()),
        f"  times faster than the best of others  {''.join(f'{one:12.1f}' for one in figures['times_faster_than_best'].values())}",
        f"  ranked, with reasons in words         {figures['with_reasons']:12.0f}",
        f"  a hit by number of patterns           {grown}",
        f"  rebuilt after one Party's change      {figures['rebuild_ms']:9.1f} ms",
        f"  reading a scan                        {', '.join(f'{one / 1e3:.1f}' for one in figures['normalising_ns'].values())} us",
    ]


if __name__ == "__main__":
    sys.exit(main())
