"""`gsp doctor --home`: a folder is looked at without its node, and each finding says what to do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.federation import federation
from node.__main__ import main
from node.cli.examination import examine
from node.cli.serving import free_address, world
from node.use_cases.desk_values import Check, Health


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """Two Parties that were joined and are not running any more."""
    root = tmp_path_factory.mktemp("examined")
    async with federation(root):
        running = await examine(root / "qm", world())
        assert {check.health for check in running} == {Health.GOOD}
    return root / "qm"


def named(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


async def test_a_stopped_node_is_told_apart_from_a_broken_one(folder: Path) -> None:
    checks = named(await examine(folder, world()))

    assert checks["settings"].health is Health.GOOD
    assert checks["directory"].health is Health.WARNING
    assert "gsp party run" in checks["directory"].hint
    assert checks["own desk"].health is Health.WARNING
    assert checks["own settings"].health is Health.GOOD
    assert "only the log key vouches" in checks["witnesses"].words


async def test_a_keystore_that_others_can_read_is_bad(folder: Path) -> None:
    (folder / "keystore").chmod(0o644)
    try:
        assert named(await examine(folder, world()))["keystore"].health is Health.BAD
    finally:
        (folder / "keystore").chmod(0o600)


async def test_a_directory_under_another_genesis_is_bad(folder: Path) -> None:
    path = folder / "node.toml"
    original = path.read_text()
    genesis = original.split('genesis = "')[1][:64]
    path.write_text(original.replace(genesis, "ab" * 32))
    try:
        checks = named(await examine(folder, world()))
    finally:
        path.write_text(original)

    assert checks["directory"].health is Health.BAD
    assert "genesis" in checks["directory"].words


def test_an_empty_folder_ends_with_two_and_says_how_to_begin(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["doctor", "--home", str(tmp_path), "--json"], standalone_mode=False)

    assert result.return_value == 2
    (check,) = json.loads(result.output)["checks"]
    assert check["health"] == "bad"
    assert "gsp party join" in check["hint"]


def test_a_free_address_keeps_a_port_that_was_named() -> None:
    assert free_address("127.0.0.1:4430") == "127.0.0.1:4430"
    host, _, port = free_address("127.0.0.1:0").rpartition(":")
    assert host == "127.0.0.1"
    assert 20_000 <= int(port) < 32_000


async def test_a_profile_that_cannot_be_read_is_named_before_the_node_starts(folder: Path) -> None:
    path = folder / "node.toml"
    original = path.read_text()
    path.write_text(f'{original}profile = "profile.toml"\n')
    (folder / "profile.toml").write_text("since = 2019-05-20")
    try:
        (check,) = await examine(folder, world())
    finally:
        path.write_text(original)

    assert (check.name, check.health) == ("settings", Health.BAD)
    assert "profile.toml" in check.words
