"""A treaty of version 0.1.0, founded and run by that version, which a node of this program joins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.programs import Program, Town, committed, town

PREVIOUS = "5431a79"
"""The commit of version 0.1.0."""
CODE = "LEQN1a7Kd93XzP01M0124031509"
STAMP = "QMABCDEFGH234567Q"


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """That version as it was committed, with the protobuf code that its own build makes."""
    return committed(PREVIOUS, "0.1.0", tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="module")
async def mixed(previous: Program, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Founded by 0.1.0, with one Party of it, which answers by policy, and one Party of this program, which answers by hand."""
    folder = tmp_path_factory.mktemp("mixed")
    async with town(folder, secretariat=previous, qn=previous, qm=Program()) as made:
        config = previous.code / "config"
        await made.join("qn", "--patterns", config / "patterns/demo-qn.toml", "--policy", config / "policy.example.toml")
        await made.join("qm", "--patterns", ROOT / "config/patterns/demo-qm.toml")
        await made.run("qn", "party", "load", config / "records.example.jsonl", "--home", made.home("qn"))
        await made.start("qn")
        await made.start("qm")
        await made.knows("qm", CODE, "qn")
        await made.knows("qn", STAMP, "qm")
        yield made


def as_told_by(theirs: Any, ours: Any) -> Any:
    """Our report without what is in it that theirs does not tell: fields may be added, what is told by both is the same."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return {name: as_told_by(theirs.get(name), value) for name, value in ours.items() if name in theirs}
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [as_told_by(*both) for both in zip(theirs, ours, strict=True)]
    return ours


async def test_each_participant_runs_the_version_that_it_is_said_to_run(previous: Program) -> None:
    for program in (previous, Program()):
        assert await program.whereabouts() == (program.code / "federation/__init__.py", program.code / "node/__init__.py")
    assert not (previous.code / "node/backup.py").exists()
    assert (previous.code / "node/store/exchange-v1.sql").exists()


async def test_this_version_asks_the_previous_one_and_both_can_prove_it(mixed: Town) -> None:
    asked = await mixed.ask("qm", CODE, "qn")

    assert asked["state"] == "answered"
    for exporter in ("qm", "qn"):
        proof = await mixed.proof(exporter, asked["id"])
        ours, theirs = [await mixed.verify(checker, proof) for checker in ("qm", "qn")]
        assert as_told_by(theirs, ours) == theirs
        assert len(theirs["messages"]) == 2


async def test_the_previous_version_asks_this_one_and_both_can_prove_it(mixed: Town) -> None:
    asked = await mixed.ask("qn", STAMP, "qm", wait="0s", codes=(75,))
    await mixed.run(
        "qm",
        *("answer", asked["id"], "--refuse", "needs-justification", "--text", "Which shop?", "--yes"),
        *("--officer", mixed.officers["qm"]),
    )
    answered = await mixed.look("qn", asked["id"], wait="30s", codes=(0,))

    assert answered["state"] == "answered"
    for exporter in ("qm", "qn"):
        proof = await mixed.proof(exporter, asked["id"])
        ours, theirs = [await mixed.verify(checker, proof) for checker in ("qm", "qn")]
        assert as_told_by(theirs, ours) == theirs


async def test_what_the_previous_version_does_not_say_of_itself_is_unknown_and_all_else_is_seen(mixed: Town) -> None:
    asked = await mixed.ask("qm", CODE, "qn")
    why = await mixed.run("qm", "why", asked["id"][:10], "--officer", mixed.officers["qm"])
    (qn,) = (await mixed.run("qm", "peers", "qn", "--officer", mixed.officers["qm"]))["peers"]

    assert (why["id"], why["situation"], why["side"]) == (asked["id"], "answered", "sent")
    assert why["words"]["summary"].startswith("queued ")
    assert (qn["version"], qn["clock_offset_ms"]) == (None, None)
    assert (qn["weather"], qn["failures"], qn["waiting"]) == ("fair", 0, 0)
    assert qn["delay_ms"] >= 0
    assert None not in (qn["reached"], qn["heard"], qn["certificate_ends"])  # it shows its certificate when it calls


async def test_this_version_takes_over_the_home_of_the_previous_one_and_goes_on(mixed: Town) -> None:
    """The administrator of qn stops the old program and starts the new one in the same folder."""
    before = await mixed.ask("qm", CODE, "qn")
    copy = mixed.folder / "before-the-upgrade.backup"
    await mixed.run("qm", "backup", *mixed.keys("qn"), "-o", copy, "--cost", "minimal")  # the new program, while the old one runs
    found = await mixed.run("qm", "backup", "verify", copy, "--passphrase-file", mixed.folder / "passphrase")
    assert "exchange.sqlite" in {one["name"] for one in found["files"]}
    await mixed.stop("qn")
    mixed.programs["qn"] = Program()
    await mixed.start("qn")
    await mixed.run("qn", "inbox", "--officer", mixed.officers["qn"], codes=(77,))  # version 0.1.0 left no officer that is known
    await mixed.enrol("qn", "customs:Customs")
    after = await mixed.ask("qm", CODE, "qn")

    assert after["state"] == "answered"
    assert (mixed.home("qn") / "exchange.sqlite-backup-v1").exists()
    for query in (before["id"], after["id"]):
        for exporter in ("qm", "qn"):
            await mixed.verify("qm", await mixed.proof(exporter, query))
