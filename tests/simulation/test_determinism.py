"""A seed names a run for ever: the same steps at the same times, in this process, in another, and under another order of hashes."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.checkout import ROOT
from tests.support.storm import Plan, run_storm

PLAN = Plan(parties=5, days=1, enquiries=15, crashes=10, partings=2)
SCRIPT = """
from tests.simulation.test_determinism import PLAN
from tests.support.storm import run_storm
print(run_storm(7, PLAN).history.digest())
"""


def digest_elsewhere(hash_seed: str) -> str:
    """The history's digest as another process finds it."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return ran.stdout.strip()


def test_one_seed_is_one_history_in_every_process():
    first, again = run_storm(7, PLAN).history, run_storm(7, PLAN).history

    assert first.lines == again.lines
    assert digest_elsewhere("1" if os.environ.get("PYTHONHASHSEED") != "1" else "2") == first.digest()
    assert run_storm(8, PLAN).history.digest() != first.digest()
