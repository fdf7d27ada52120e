"""`make fuzz`: every target for a bounded time under a coverage-guided fuzzer, each in a process of its own.

The fuzzer is an extra that `make fuzz` installs. What it finds is left in `.fuzz/TARGET/crash-*`, and the run ends with 1; interesting
inputs stay in `.fuzz/TARGET` and are where the next run begins.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(".fuzz")
INPUT_BYTES_MAX = 65_536


def main() -> int:
    """Run one target in this process, or all of them one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="", help="this one alone")
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--here", action="store_true", help="in this process")
    arguments = parser.parse_args()
    if arguments.here:
        fuzz(arguments.target, arguments.seconds)
        return 0
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # the fuzzer has to see the parsers being imported, in the other process

    names = [arguments.target] if arguments.target else list(TARGETS)
    failed = [name for name in names if not passes(name, arguments.seconds)]
    for name in failed:
        sys.stdout.write(f"{name}: a defect; the input is in {FOLDER / name}\n")
    sys.stdout.write(f"{len(names) - len(failed)} of {len(names)} targets without a defect\n")
    return 1 if failed else 0


def passes(name: str, seconds: int) -> bool:
    """Run one target in a process of its own, and say in a line how far it got."""
    command = [sys.executable, "-m", "tests.fuzz", "--here", "--target", name, "--seconds", str(seconds)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 120)  # ourselves
    last = [line for line in run.stderr.splitlines() if line.startswith("#") and "cov:" in line][-1:]
    sys.stdout.write(f"{name:<24}{' '.join(last)}\n")
    sys.stdout.flush()
    if run.returncode:
        sys.stdout.write(run.stderr[-3_000:] + "\n")
    return run.returncode == 0


def fuzz(name: str, seconds: int) -> None:
    """Let the fuzzer go; it ends the process itself."""
    import atheris  # noqa: PLC0415  # type: ignore[import-not-found]  # an extra

    with atheris.instrument_imports(include=["federation", "node"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # imported where the fuzzer sees it

    target, corpus = TARGETS[name], FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={corpus}/",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
