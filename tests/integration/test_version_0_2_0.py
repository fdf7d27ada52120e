"""A treaty of version 0.2.0, which a node of this program joins, and whose home this program takes over in the middle of its work."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.programs import Program, Town, committed, town

PREVIOUS = "57bbed4"
"""The commit of version 0.2.0."""
CODE = "LEQN1a7Kd93XzP01M0124031509"


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return committed(PREVIOUS, "0.2.0", tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="module")
async def mixed(previous: Program, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Founded by 0.2.0, with one Party of it, which answers by policy, and one Party of this program."""
    async with town(tmp_path_factory.mktemp("mixed"), secretariat=previous, qn=previous, qm=Program()) as made:
        config = previous.code / "config"
        await made.join("qn", "--patterns", config / "patterns/demo-qn.toml", "--policy", config / "policy.example.toml")
        await made.join("qm", "--patterns", ROOT / "config/patterns/demo-qm.toml")
        await made.run("qn", "party", "load", config / "records.example.jsonl", "--home", made.home("qn"))
        await made.start("qn")
        await made.start("qm")
        await made.knows("qm", CODE, "qn")
        yield made


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


async def test_a_home_of_version_0_2_0_is_taken_over_and_everything_before_can_be_proved(mixed: Town) -> None:
    exchange = mixed.home("qn") / "exchange.sqlite"
    before = await mixed.ask("qm", CODE, "qn")
    assert before["state"] == "answered"
    assert version_of(exchange) == 2
    await mixed.stop("qn")
    waiting = await mixed.ask("qm", CODE, "qn", wait="0s", codes=(75,))

    mixed.programs["qn"] = Program()
    await mixed.start("qn")

    after = await mixed.look("qm", waiting["id"], wait="30s", codes=(0,))
    assert after["state"] == "answered"
    assert version_of(exchange) == 3
    assert version_of(mixed.home("qn") / "exchange.sqlite-backup-v2") == 2
    for query in (before["id"], waiting["id"]):
        for exporter in ("qm", "qn"):
            await mixed.verify("qm", await mixed.proof(exporter, query))
