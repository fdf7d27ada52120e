"""The demonstration, once and in earnest: real processes, real connections, real files. Each chapter's facts are held against the story."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.cli.demonstration.finding import CIS_CODE
from node.cli.exit_codes import ExitCode
from node.cli.profile import read_profile

PATIENCE_S = 170
ALL_LETTERS = list("abcdefghij")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of one run with `--keep`.

    Attributes:
        running: processes of the federation after the story was told.
        by_hand: what `gsp resolve` said to an officer while the federation was kept running.
        code: how the demonstration ended after Ctrl-C.
        left_over: processes that were still there after it had ended.
    """

    document: dict[str, Any]
    folder: Path
    running: list[str]
    by_hand: dict[str, Any]
    code: int
    left_over: list[str]

    def facts(self, number: int) -> dict[str, Any]:
        (chapter,) = [one for one in self.document["chapters"] if one["number"] == number]
        assert chapter["holds"], chapter
        return chapter["facts"]

    def result(self, number: int) -> dict[str, Any]:
        """What the final answer of a chapter says of its one code."""
        (result,) = self.facts(number)["query"]["answers"][-1]["answer"]["results"]
        return result


@pytest.fixture(scope="module")
async def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demonstration") / "kept"
    process = await start("--headless", "--json", "--keep", folder)
    try:
        async with asyncio.timeout(PATIENCE_S):
            document = json.loads(await read_document(process))
            assert document["holds"], document["error"]
            running = processes_of(folder)
            by_hand = await resolve_by_hand(document["federation"])
            process.send_signal(signal.SIGINT)
            await process.wait()
    finally:
        await end(process)
    return Seen(
        document=document,
        folder=folder,
        running=running,
        by_hand=by_hand,
        code=process.returncode,
        left_over=processes_of(folder),
    )


async def start(*arguments, environment=None):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node", "demo", *map(str, arguments), stdout=asyncio.subprocess.PIPE, env=environment
    )


async def end(process):
    """A test that fails leaves no federation behind either."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def read_document(process):
    lines = []
    while line := await process.stdout.readline():
        lines.append(line)
        if line == b"}\n":
            break
    return b"".join(lines)


async def resolve_by_hand(federation):
    code = federation["codes"]["qt"]["pack-sold"]
    arguments = (sys.executable, "-m", "node", "resolve", code, "--officer", federation["officers"]["qm"], "--json")
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    return json.loads(printed)


def processes_of(folder):
    """Command lines of this program that name the folder, apart from the demonstration itself."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line and " demo " not in line]


async def test_the_story_is_told_to_its_end(seen):
    assert [chapter["number"] for chapter in seen.document["chapters"]] == list(range(9))
    assert all(chapter["holds"] for chapter in seen.document["chapters"])
    assert seen.document["exit_code"] == ExitCode.FINE


async def test_a_secretariat_and_five_nodes_run_as_processes_of_their_own_and_seven_parties_have_joined(seen):
    assert set(seen.facts(0)["process_ids"]) == {"secretariat", "qm", "qn", "qo", "qp", "qr"}
    assert len(set(seen.facts(0)["process_ids"].values())) == 6
    assert len(seen.running) == 6
    assert seen.facts(0)["parties"] == ["qm", "qn", "qo", "qp", "qr", "qs", "qt"]


async def test_a_picture_of_a_pack_leads_to_origin_market_first_customer_and_last_known_place(seen):
    facts, result = seen.facts(1), seen.result(1)
    assert facts["scan"] == "]d1" + facts["key"]
    assert facts["query"]["peer"] == "qn"
    assert (facts["query"]["answers"][0]["officer_id"], facts["query"]["answers"][0]["answer"]["automation"]) == (
        None,
        "automatic",
    )
    assert (result["outcome"], result["key"]) == ("found", facts["key"])
    assert [item["item"] for item in result["items"]] == ALL_LETTERS
    assert {item["state"] for item in result["items"]} == {"provided"}
    assert (facts["origin"], facts["origin_country"]) == ("Mill Lane factory", "QN")
    assert (facts["market"], facts["first_customer"]) == ("QN", "Harbour Wholesale")
    assert facts["last_known_place"] == result["last_known"]["place"] == "77 Market Square"


async def test_a_case_label_is_ranked_with_reasons_and_the_officer_chooses(seen):
    facts = seen.facts(2)
    resolution = facts["resolution"]
    assert resolution["scan"] == "]C100" + facts["key"]
    assert set(facts["candidates"]) == {"qn", "qo", "qp", "eu"}
    assert all(party["reasons"] and not party["names_issuer"] for party in resolution["parties"])
    assert "several Parties may have issued" in facts["refused_to_guess"]
    assert (facts["chosen"], facts["query"]["peer"], seen.result(2)["outcome"]) == ("qn", "qn", "found")


async def test_a_code_that_was_never_issued_is_said_to_be_so_by_its_issuer_alone(seen):
    (answer,) = seen.facts(3)["query"]["answers"]
    assert (answer["sender"], seen.result(3)["outcome"], seen.result(3)["items"]) == ("qn", "never-issued", [])


async def test_issuers_that_are_no_parties_are_shown_and_never_asked(seen):
    facts = seen.facts(4)
    assert facts["resolution"]["scan"] == CIS_CODE
    assert {"kz", "ru", "uz"} <= set(facts["candidates"])
    assert {party["membership"] for party in facts["resolution"]["parties"]} == {"not-a-party"}
    assert facts["refused"] == "unknown-party"
    assert "query" not in facts


async def test_a_region_answers_for_its_member_and_keeps_items_back_with_reasons(seen):
    facts, items = seen.facts(5), {item["item"]: item["state"] for item in seen.result(5)["items"]}
    assert (facts["issuer"], facts["answered_by"], facts["query"]["peer"]) == ("qs", "qr", "qr")
    assert facts["withheld"] == {"e": "withheld-legal", "i": "needs-article-21-or-28", "j": "withheld-investigation"}
    assert {letter: items[letter] for letter in "eij"} == facts["withheld"]
    assert {items[letter] for letter in "abdfgh"} == {"provided"}


async def test_an_officer_answers_by_hand_and_refuses_with_a_coded_reason(seen):
    facts = seen.facts(6)
    assert len(facts["inbox"]) == 2
    assert (facts["outcome"], bool(facts["officer_id"])) == ("found", True)
    assert facts["query"]["answers"][0]["officer_id"] == facts["officer_id"]
    assert (facts["refused"], facts["refusal"]) == ("refused", "needs-mutual-legal-assistance")
    assert (seen.result(6)["outcome"], seen.result(6)["refusal"]) == ("refused", "needs-mutual-legal-assistance")


async def test_a_party_that_is_down_is_said_to_be_unreachable_and_answers_when_it_is_back(seen):
    facts = seen.facts(7)
    assert facts["while_down"] == {"state": "queued", "problem": "unreachable"}
    assert facts["afterwards"] == {"state": "answered", "outcome": "found"}
    assert facts["process_ids"]["qp"] != seen.facts(0)["process_ids"]["qp"]


async def test_the_evidence_is_checked_by_a_process_that_has_nothing_but_the_file_and_two_numbers(seen):
    facts = seen.facts(8)
    asked, answered = (message["content"] for message in facts["report"]["messages"])
    assert facts["report"]["holds"]
    assert (asked["kind"], answered["kind"]) == ("query", "answer")
    assert answered["said"]["results"] == seen.facts(1)["query"]["answers"][0]["answer"]["results"]
    assert facts["report"]["messages"][0]["receipt"]["receiver"] == "n1.qn.nodes.gsp.example"
    assert "n1.qn.nodes.gsp.example" in facts["report"]["cosigners"]


async def test_evidence_with_one_changed_byte_is_refused(seen):
    facts = seen.facts(8)
    assert facts["refused_code"] in {ExitCode.MISBEHAVIOUR, ExitCode.DATA}
    assert facts["refused"]["error"]["code"] in {"unauthentic", "malformed"}


async def test_whoever_keeps_it_running_can_ask_by_hand(seen):
    ((party,),) = [resolution["parties"] for resolution in seen.by_hand["resolutions"]]
    assert (party["party"], party["responder"], party["membership"]) == ("qt", "qr", "party")
    assert read_profile(Path(seen.document["federation"]["officers"]["qo"])).officer.party == "qo"


async def test_after_ctrl_c_no_process_is_left_and_the_files_are_kept(seen):
    assert (seen.code, seen.left_over) == (ExitCode.FINE, [])
    assert {"commands.txt", "codes.txt", "pack.png", "case.png", "logs"} <= {path.name for path in seen.folder.iterdir()}


async def test_an_interrupted_story_leaves_neither_processes_nor_files(tmp_path):
    process = await start("--headless", environment={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        async with asyncio.timeout(PATIENCE_S):
            while b"founded the directory" not in (line := await process.stdout.readline()):
                assert line, "the story ended before it began"
            process.send_signal(signal.SIGINT)
            await process.communicate()
    finally:
        await end(process)

    assert (process.returncode, processes_of(tmp_path), list(tmp_path.iterdir())) == (ExitCode.INTERRUPTED, [], [])
