"""Two real nodes, each with a process and files of its own, between whom every cable is pulled; and the program, carrying files."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Conflict
from node.cli.exit_codes import exit_code
from tests.support.cable import Cable, cable
from tests.support.checkout import ROOT
from tests.support.programs import Program, Town, town

CODE = "LEQN1a7Kd93XzP01M0124031509"
STAMP = "QMABCDEFGH234567Q"


@pytest.fixture(scope="module")
async def apart(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """qn answers by policy and qm by hand; they have met, and then the line between them went."""
    folder = tmp_path_factory.mktemp("apart")
    programs = dict.fromkeys(("secretariat", "qn", "qm"), Program())
    config = ROOT / "config"
    async with cable() as to_qn, cable() as to_qm, town(folder, **programs) as made:
        policy = ("--policy", config / "policy.example.toml")
        await join(made, "qn", to_qn, "--patterns", config / "patterns/demo-qn.toml", *policy)
        await join(made, "qm", to_qm, "--patterns", config / "patterns/demo-qm.toml")
        await made.run("qn", "party", "load", config / "records.example.jsonl", "--home", made.home("qn"))
        await made.start("qn")
        await made.start("qm")
        await made.knows("qm", CODE, "qn")
        await made.knows("qn", STAMP, "qm")
        assert (await made.ask("qm", CODE, "qn"))["state"] == "answered"
        assert to_qn.passed > 0
        to_qn.pull()
        to_qm.pull()
        yield made


async def join(made: Town, party: str, line: Cable, *more: str | Path) -> None:
    """A Party whose node others reach through the cable and not otherwise."""
    await made.join(party, "--public", line.endpoint, *more)
    line.target = tomllib.loads((made.home(party) / "node.toml").read_text(encoding="utf-8"))["listen"]


async def export(made: Town, party: str, to: str, name: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    return await made.run(
        party, "outbox", "export", made.folder / name, "--to", to, "--officer", made.officers[party], codes=codes
    )


async def bring(made: Town, party: str, name: str, *more: str | Path, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    return await made.run(party, "inbox", "import", made.folder / name, *more, "--officer", made.officers[party], codes=codes)


async def said(made: Town, party: str, *arguments: str | Path) -> list[str]:
    """What a verb prints for people."""
    running = await made.begin(party, *arguments, "--officer", made.officers[party])
    assert await running.ended() == 0, running.said
    return running.said


def fates(imported: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["content"], one["fate"]) for one in imported["outcomes"]]


async def test_a_question_and_its_automatic_answer_cross_while_both_nodes_run_and_no_line_is_there(apart: Town) -> None:
    asked = await apart.ask("qm", CODE, "qn", wait="0s", codes=(75,))
    assert asked["state"] == "queued"

    there = await export(apart, "qm", "qn", "there.parcel")
    assert (there["messages"], there["left"], there["without_key"]) == (1, 0, 0)
    raw = (apart.folder / "there.parcel").read_bytes()
    assert raw.startswith(b"gsp parcel 1: sealed messages from qm to qn, made ")
    assert not any(secret in raw for secret in (CODE.encode(), b"LEQN", b"lorry", b"investigation"))
    assert (apart.folder / "there.parcel").stat().st_mode & 0o777 == 0o600
    taken = await bring(apart, "qn", "there.parcel", "--reply", apart.folder / "back.parcel")
    assert ("message", "taken") in fates(taken)
    assert taken["reply"]["messages"] == 1
    back = await bring(apart, "qm", "back.parcel", "--reply", apart.folder / "last.parcel")
    assert [fate for fate in fates(back) if fate[1] == "taken"] == [("receipt", "taken"), ("message", "taken")]
    answered = await apart.look("qm", asked["id"], codes=(0,))
    assert answered["state"] == "answered"
    assert '"found"' in json.dumps(answered["answers"])
    last = await bring(apart, "qn", "last.parcel")
    assert ("receipt", "taken") in fates(last)

    again = await bring(apart, "qn", "there.parcel")
    assert {fate for _, fate in fates(again)} == {"seen"}
    for exporter in ("qm", "qn"):
        proved = await apart.verify("qm", await apart.proof(exporter, asked["id"]))
        own = next(one for one in proved["messages"] if one["sender"] == proved["exporter"])
        assert own["receipt"] is not None


async def test_a_node_that_is_started_again_where_no_line_is_there_still_seals_for_the_stick(apart: Town) -> None:
    await apart.stop("qm")
    await apart.start("qm")
    asked = await apart.ask("qm", CODE, "qn", wait="0s", codes=(75,))

    there = await export(apart, "qm", "qn", "started-again.parcel")
    assert (there["messages"], there["without_key"]) == (1, 0)
    await bring(apart, "qn", "started-again.parcel", "--reply", apart.folder / "to-the-started.parcel")
    await bring(apart, "qm", "to-the-started.parcel", "--reply", apart.folder / "receipts.parcel")
    await bring(apart, "qn", "receipts.parcel")
    assert (await apart.look("qm", asked["id"], codes=(0,)))["state"] == "answered"


async def test_an_answer_by_hand_goes_back_with_a_file_of_its_own_and_people_read_what_became_of_it(apart: Town) -> None:
    asked = await apart.ask("qn", STAMP, "qm", wait="0s", codes=(75,))
    told = await said(apart, "qn", "outbox", "export", apart.folder / "stamp.parcel", "--to", "qm")
    assert "1 sealed message;" in told[1]
    assert "gsp inbox import FILE" in told[-1]
    told = await said(apart, "qm", "inbox", "import", apart.folder / "stamp.parcel")
    assert told[0].startswith("From qn, made ")
    assert any(asked["id"] in line and line.startswith("message") and line.endswith("taken") for line in told)
    refusal = ("--refuse", "needs-justification", "--text", "Which shop?", "--yes")
    await apart.run("qm", "answer", asked["id"], *refusal, "--officer", apart.officers["qm"])

    carried = await export(apart, "qm", "qn", "refusal.parcel")
    assert (carried["messages"], carried["receipts"] > 0) == (1, True)
    await bring(apart, "qn", "refusal.parcel")

    answered = await apart.look("qn", asked["id"], codes=(0,))
    assert '"needs-justification"' in json.dumps(answered["answers"])


async def test_what_is_wrong_with_a_file_is_said_with_a_code_and_a_hint(apart: Town) -> None:
    await export(apart, "qm", "qn", "good.parcel")
    good = (apart.folder / "good.parcel").read_bytes()
    wrong = {
        "not-whole": (good[:-1], "malformed", 65),
        "forged": (good[:-70] + bytes([good[-70] ^ 1]) + good[-69:], "unauthentic", 76),
        "too-large": (good + bytes(16_777_217 - len(good)), "oversized", 65),
    }
    for name, (raw, code, number) in wrong.items():
        (apart.folder / name).write_bytes(raw)
        told = await bring(apart, "qn", name, codes=(number,))
        assert (told["error"]["code"], bool(told["error"]["hint"])) == (code, True)
    told = await bring(apart, "qm", "good.parcel", codes=(77,))
    assert told["error"]["code"] == "forbidden"

    told = await export(apart, "qm", "qn", "good.parcel", codes=(exit_code(Conflict("")),))
    assert told["error"]["code"] == "conflict"
    assert (apart.folder / "good.parcel").read_bytes() == good
