"""A running node takes up what is published in its folder: the directory pins it, others resolve with it, the own data too."""

from __future__ import annotations

import asyncio
from pathlib import Path

from node import party, publishing
from node.party import read_settings
from tests.integration.test_joining import PASSPHRASE, Centre, admitted, centre
from tests.support.patterns import pattern, pattern_set

__all__ = ["centre"]  # the fixture


async def test_a_set_is_published_and_withdrawn_while_the_node_runs(centre: Centre, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(party, "OWN_SETS_LOOK_S", 0.05)
    home = tmp_path / "qs"
    await admitted(centre, home, await centre.invite("qs"))
    settings = read_settings(home)
    own = pattern_set(pattern(owner="qs"), party="qs")
    async with party.running(home, PASSPHRASE) as node:
        publishing.publish(home, settings, own)
        assert await pinned(node, version=1)
        await node.patterns.refresh(None)
        (ranked,) = node.patterns.resolve("QX123456").parties
        assert (ranked.candidate.party, ranked.candidate.published_by) == ("qs", "qs")
        assert node.repository.is_ours("QX123456", now=node.registry.clock.now())

        (home / "own-patterns.toml").write_text("party = 7")  # whoever edits by hand must not take the node down
        await asyncio.sleep(0.3)
        assert node.repository.is_ours("QX123456", now=node.registry.clock.now())
        (home / "own-patterns.toml").unlink()
        publishing.publish(home, settings, own)
        publishing.withdraw(home, settings, (), everything=True)
        assert await pinned(node, version=2)
        await node.patterns.refresh(None)
        assert node.patterns.resolve("QX123456").parties == ()


async def pinned(node, *, version: int) -> bool:
    async with asyncio.timeout(20):
        while True:
            update = node.registry.roster.party("qs").update
            if update is not None and update.pattern_set_version == version:
                return True
            await asyncio.sleep(0.05)
