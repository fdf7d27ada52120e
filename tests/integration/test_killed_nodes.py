"""Three real nodes, questions among them, kill -9 and cut links; the large version is `make soak-nodes`."""

from __future__ import annotations

from pathlib import Path

from tests.soak.nodes import Trouble, troubled

TROUBLE = Trouble(parties=3, questions=100, seed=1, kills=3, cuts=3)


async def test_real_nodes_that_are_killed_lose_nothing_and_double_nothing(tmp_path: Path):
    report = await troubled(tmp_path, TROUBLE)

    assert report.faults == ()
    assert (report.asked, report.messages, report.receipts) == (100, 200, 200)
    assert report.kills == TROUBLE.kills
