"""A node destroyed and put back from a copy that is older than what happened since. Real processes, real connections, real files."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.delivery.receipt import SignedReceipt
from federation.wire.evidence import decode_receipt, decode_record
from tests.support.checkout import ROOT
from tests.support.programs import PATIENCE_S, Program, Town, town

CODE = "LEQN1a7Kd93XzP01M0124031509"
STAMP = "QMABCDEFGH234567Q"


@dataclass(frozen=True)
class Story:
    """What happened, told once for all tests.

    Attributes:
        before, lost, after: queries of qm that qn's policy answered: before the backup, after it, and after the restore.
        open_then: a query of qn that waited for an officer of qm when the backup was made, and was answered after the restore.
        doctor: what qn's doctor said right after the restore, and when its peers had agreed.
        old_proofs: of `before`, exported by both before anything was lost.
    """

    town: Town
    before: dict[str, Any]
    lost: dict[str, Any]
    after: dict[str, Any]
    open_then: str
    doctor: list[dict[str, Any]]
    old_proofs: list[Path]
    restored: dict[str, Any]


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    folder = tmp_path_factory.mktemp("restored")
    config = ROOT / "config"
    async with town(folder, secretariat=Program(), qn=Program(), qm=Program()) as made:
        await made.join("qn", "--patterns", config / "patterns/demo-qn.toml", "--policy", config / "policy.example.toml")
        await made.join("qm", "--patterns", config / "patterns/demo-qm.toml")
        await made.run("qn", "party", "load", config / "records.example.jsonl", "--home", made.home("qn"))
        await made.start("qn")
        await made.start("qm")
        await made.knows("qm", CODE, "qn")
        await made.knows("qn", STAMP, "qm")
        yield await told(made)


async def told(made: Town) -> Story:
    before = await made.ask("qm", CODE, "qn")
    old_proofs = [await made.proof(party, before["id"]) for party in ("qm", "qn")]
    open_then = await made.ask("qn", STAMP, "qm", wait="0s", codes=(75,))
    copy = made.folder / "qn.backup"
    await made.run("qn", *backup_words(made, copy))
    lost = await made.ask("qm", CODE, "qn")
    await made.kill("qn")
    shutil.copytree(made.home("qn") / "officers", made.folder / "officers")  # the officer's own, not the node's
    shutil.rmtree(made.home("qn"))
    restored = await made.run("qn", "restore", copy, *made.keys("qn"))
    made.officers["qn"] = next((made.folder / "officers").iterdir())
    offline = await made.run("qn", "doctor", "--home", made.home("qn"), codes=(0, 1, 2))
    await made.start("qn")
    after = await made.ask("qm", CODE, "qn", wait="60s")
    await made.run("qm", *refusal(open_then["id"]), "--officer", made.officers["qm"])
    await made.look("qn", open_then["id"], wait="60s", codes=(0,))
    online = await doctor(made)
    return Story(made, before, lost, after, open_then["id"], [offline, online], old_proofs, restored)


def backup_words(made: Town, copy: Path) -> tuple[str | Path, ...]:
    return ("backup", *made.keys("qn"), "-o", copy, "--cost", "minimal")


def refusal(query: str) -> tuple[str, ...]:
    return ("answer", query, "--refuse", "needs-justification", "--text", "Which shop?", "--yes")


async def test_what_comes_after_the_restore_is_answered_and_both_can_prove_it(story: Story) -> None:
    assert story.after["state"] == "answered"
    for party in ("qm", "qn"):
        report = await story.town.verify("qm", await story.town.proof(party, story.after["id"]))
        assert len(report["messages"]) == 2


async def test_what_was_before_the_backup_is_there_and_both_can_prove_it(story: Story) -> None:
    for party in ("qm", "qn"):
        await story.town.verify("qm", await story.town.proof(party, story.before["id"]))
    for proof in story.old_proofs:
        await story.town.verify("qn", proof)


async def test_what_came_after_the_backup_is_proved_by_the_one_who_has_it(story: Story) -> None:
    await story.town.verify("qn", await story.town.proof("qm", story.lost["id"]))
    gone = await story.town.run(
        "qn", "proof", "export", story.lost["id"], "--officer", story.town.officers["qn"], "-o", "gone", codes=(66,)
    )
    assert gone["error"]["code"] == "not-found"


async def test_an_answer_to_what_was_asked_before_the_backup_arrives_though_its_key_is_gone(story: Story) -> None:
    view = await story.town.look("qn", story.open_then)

    assert view["state"] == "answered"
    assert len(view["answers"]) == 1
    for party in ("qm", "qn"):
        await story.town.verify("qm", await story.town.proof(party, story.open_then))


async def test_nothing_that_both_sides_know_of_is_there_twice(story: Story) -> None:
    for query in (story.before, story.lost, story.after):
        assert len((await story.town.look("qm", query["id"]))["answers"]) == 1
    inbox = await story.town.run("qn", "inbox", "--officer", story.town.officers["qn"])
    assert sorted(one["id"] for one in inbox["queries"]) == sorted({story.before["id"], story.after["id"]})


async def test_the_journal_goes_on_in_a_new_epoch_and_contradicts_nothing_that_a_peer_holds(story: Story) -> None:
    """Of all receipts that qm has of qn, no two are about trees of one size under one name with different roots."""
    heads: dict[tuple[str, str], set[str]] = {}
    names: dict[str, str] = {}
    with closing(sqlite3.connect(f"file:{story.town.home('qm')}/exchange.sqlite?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT message_id, statement, receipt.signature FROM crossing JOIN receipt ON receipt.crossing = crossing.id"
            " WHERE direction = 'sent'"
        ).fetchall()
    for message_id, statement, signature in rows:
        receipt = decode_receipt(SignedReceipt(statement=statement, signature=signature).statement)
        name, size, root = receipt.checkpoint.decode().split("\n")[:3]
        heads.setdefault((name, size), set()).add(root)
        names[message_id.hex()] = name

    first = "n1.qn.nodes.gsp.example.org/journal"
    number = json.loads((story.town.home("qn") / "restored.json").read_text())["at"]
    assert names[story.before["id"]] == names[story.lost["id"]] == first
    assert names[story.after["id"]] == f"{first}/{number}"
    assert all(len(roots) == 1 for roots in heads.values())


async def test_the_first_record_of_the_epoch_says_what_was_put_back(story: Story) -> None:
    with closing(sqlite3.connect(f"file:{story.town.home('qn')}/exchange.sqlite?mode=ro", uri=True)) as connection:
        epochs = connection.execute("SELECT number, first FROM journal_epoch ORDER BY first").fetchall()
        content = connection.execute("SELECT content FROM leaf WHERE position = ?", (epochs[1][1],)).fetchone()[0]
    restoration = decode_record(content).restoration

    assert epochs[0] == (1, 0)
    assert restoration is not None
    assert (restoration.number, restoration.size) == epochs[1]


async def test_the_doctor_tells_of_the_restore_until_the_peers_agree(story: Story) -> None:
    offline, online = story.doctor
    (told_offline,) = [one for one in offline["checks"] if one["name"] == "restored"]
    assert told_offline["health"] == "warning"
    assert "cosigns nothing until" in told_offline["words"]
    assert story.restored["kind"] == "party"
    assert [one for one in online["checks"] if one["name"] == "restored" and one["health"] == "bad"] == []


async def test_it_cosigns_again_when_its_peer_holds_the_same_directory(story: Story) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (mark := json.loads((story.town.home("qn") / "restored.json").read_text()))["agreed"] is None:
            await asyncio.sleep(0.2)
        while (status := await doctor(story.town))["figures"]["cosigners"] != 2:
            await asyncio.sleep(0.2)

    assert mark["agreed"] >= mark["at"]
    assert [one for one in status["checks"] if one["name"] == "restored"] == []


async def doctor(made: Town) -> dict[str, Any]:
    return await made.run("qn", "doctor", "--officer", made.officers["qn"], codes=(0, 1, 2))
