"""A running node takes up what is published in its folder: the directory pins it, others resolve with it, the own data too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.federation import CUSTOMS
from node import party, publishing
from node.__main__ import main
from node.cli.exit_codes import ExitCode
from node.cli.profile import write_profile
from node.cli.serving import world
from node.formats.pattern_text import pattern_file
from node.ground import read_settings
from node.joining import Joined
from node.keystore import Keystore
from node.officers import register_first
from tests.support.centre import PASSPHRASE, Centre, a_centre, admitted
from tests.support.patterns import pattern, pattern_set


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    async with a_centre(tmp_path / "secretariat") as centre:
        yield centre


async def test_a_set_is_published_and_withdrawn_while_the_node_runs(centre: Centre, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(party, "OWN_SETS_LOOK_S", 0.05)
    home = tmp_path / "qs"
    joined = await admitted(centre, home, await centre.invite("qs"))
    profile = await first_officer(home, joined)
    settings = read_settings(home)
    own = pattern_set(pattern(owner="qs"), party="qs")
    async with party.running(home, PASSPHRASE) as node:
        publishing.publish(home, settings, own)
        assert await pinned(node, version=1)
        await node.patterns.refresh(None)
        (ranked,) = node.patterns.resolve("QX123456").parties
        assert (ranked.candidate.party, ranked.candidate.published_by) == ("qs", "qs")
        assert node.repository.is_ours("QX123456", now=node.registry.clock.now())

        log_key = node.registry.roster.governance.log_key.hex()
        await the_library_is_seen_and_exported(profile, tmp_path, genesis=centre.genesis.hex(), log_key=log_key)
        code, seen = await gsp(profile, "library", "verify", str(tmp_path / "library.gsp"), "--home", str(centre.root))
        assert (code, [one["party"] for one in seen["parties"]]) == (ExitCode.FINE, ["qs"])  # at the Secretariat

        (home / "own-patterns.toml").write_text("party = 7")  # whoever edits by hand must not take the node down
        await asyncio.sleep(0.3)
        assert node.repository.is_ours("QX123456", now=node.registry.clock.now())
        (home / "own-patterns.toml").unlink()
        publishing.publish(home, settings, own)
        publishing.withdraw(home, settings, (), everything=True)
        assert await pinned(node, version=2)
        await node.patterns.refresh(None)
        assert node.patterns.resolve("QX123456").parties == ()


async def first_officer(home: Path, joined: Joined) -> Path:
    """What `gsp party join` does last."""
    await register_first(home, Keystore.open(home / "keystore", PASSPHRASE), joined, authority=CUSTOMS, world=world())
    folder = home / "officer"
    write_profile(
        folder,
        officer=joined.officer,
        desk=joined.desk,
        node=joined.node,
        certificate=joined.officer_certificate,
        party_cas=(joined.party_ca,),
        seed=joined.officer_seed,
    )
    return folder


async def gsp(profile: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """The program, as an officer of the Party, in a thread beside the node's loop."""
    result = await asyncio.to_thread(
        CliRunner().invoke, main, [*words, "--json"], env={"GSP_OFFICER": str(profile)}, standalone_mode=False
    )
    assert result.exception is None, result.output
    return result.return_value, json.loads(result.stdout)


async def the_library_is_seen_and_exported(profile: Path, folder: Path, *, genesis: str, log_key: str) -> None:
    file = folder / "library.gsp"
    _, seen = await gsp(profile, "library", "status")
    _, exported = await gsp(profile, "library", "export", "-o", str(file))
    code, checked = await gsp(profile, "library", "verify", str(file), "--genesis", genesis, "--log-key", log_key)
    own = folder / "own.toml"
    own.write_text(pattern_file(pattern_set(pattern(owner="qn"), party="qn")))
    _, compared = await gsp(profile, "pattern", "check", str(own), "--against", str(file))
    assert any("qs" in json.dumps(one) for one in compared["overlaps"])
    _, resolved = await gsp(profile, "resolve", "QXl23456", "--suggest", "--place", "qs")

    (row,) = [one for one in seen["parties"] if one["party"] == "qs"]
    assert (row["state"], row["version"], row["patterns"], row["levels"]) == ("in-use", 1, 1, ["any"])
    assert exported["sets"] == 1
    assert (code, [one["party"] for one in checked["parties"]]) == (ExitCode.FINE, ["qs"])
    assert resolved["resolutions"][0]["parties"] == []
    assert [one["key"]["text"] for one in resolved["resolutions"][0]["suggestions"]] == ["QX123456"]


async def pinned(node, *, version: int) -> bool:
    async with asyncio.timeout(20):
        while True:
            update = node.registry.roster.party("qs").update
            if update is not None and update.pattern_set_version == version:
                return True
            await asyncio.sleep(0.05)
