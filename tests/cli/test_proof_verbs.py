"""Proofs at real nodes on virtual time: silence and its refutation, what is disclosed, many at once; told in words and to programs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from federation.evidence.bundle import Disclosure
from federation.evidence.journal import Epoch
from federation.identity import MessageId
from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from node import limits
from node.cli.exit_codes import ExitCode
from tests.support.checkout import ROOT, text
from tests.support.federation import Federation, federating
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question
from tests.support.virtual_clock import VirtualLoop, run_virtual

DEADLINE_S = 6 * HOUR


@dataclass(frozen=True)
class Files:
    """Proof files, and the two published values."""

    silent: bytes
    forgetful: bytes
    unreached: bytes
    waiting: bytes
    late: bytes
    answerers: bytes
    log_key: str
    genesis: str


async def proof_of(node: SimNode, query: MessageId, disclose: Disclosure = Disclosure.ALL) -> bytes:
    officer = node.kit.officers[0].name
    raw: bytes = await node.at_desk(lambda desk: desk.proof(officer, query, disclose=disclose))
    return raw


@contextmanager
def as_if_put_back(node: SimNode, federation: Federation) -> Iterator[None]:
    """Its journal goes on under another name, as after `gsp restore`."""
    assert node.participant is not None
    proving = node.participant.desk._proving
    own = proving._own
    proving._own = replace(own, epochs=(*own.epochs, Epoch(number=int(federation.now), first=1)))
    yield
    proving._own = own


async def _story(federation: Federation) -> Files:
    """A query that is answered two days late; and one that never leaves."""
    asker, answerer = federation["qm"], federation["qn"]
    asked = question(answerer.party, answerer.kit.codes[0], deadline_s=DEADLINE_S)
    query = (await ask(asker, asked)).asked.message_id
    waiting = await proof_of(asker, query)
    await asyncio.sleep(DEADLINE_S + 2 * HOUR)
    assert (await look(asker, query)).asked.state is AskedState.EXPIRED
    silent = await proof_of(asker, query)
    with as_if_put_back(asker, federation):
        forgetful = await proof_of(asker, query)
    await asyncio.sleep(2 * DAY)
    await answer_inbox(answerer)
    await asyncio.sleep(60)
    assert (await look(asker, query)).asked.state is AskedState.ANSWERED
    late, answerers = await proof_of(asker, query), await proof_of(answerer, query)
    federation.network.part([asker.kit.name], [answerer.kit.name])
    lost = (await ask(asker, asked)).asked.message_id
    await asyncio.sleep(DEADLINE_S + 2 * HOUR)
    return Files(
        silent=silent,
        forgetful=forgetful,
        unreached=await proof_of(asker, lost),
        waiting=waiting,
        late=late,
        answerers=answerers,
        log_key=federation.treaty.log_signer.public_key.hex(),
        genesis=federation.treaty.founded.digest.hex(),
    )


@pytest.fixture(scope="module")
def files() -> Files:
    async def main(loop: VirtualLoop) -> Files:
        async with federating(loop, parties=3, automation=lambda _number: Automation.MANUAL) as federation:
            return await _story(federation)

    return run_virtual(main)


def verify(terminal, files: Files, raw: bytes, *words: str):
    path = terminal.folder / "case.proof"
    path.write_bytes(raw)
    published = ["--log-key", files.log_key, "--genesis", files.genesis]
    return terminal.run_words(["proof", "verify", str(path), *published, *words], officer=False)


def told(terminal, files: Files, raw: bytes, *words: str) -> dict:
    result = verify(terminal, files, raw, "--json", *words)
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_silence_is_told_with_whose_word_it_is(files, terminal):
    result = verify(terminal, files, files.silent)
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "n1.qn.nodes.gsp.example.org signed that it received the query on" in words
    assert "n1.qm.nodes.gsp.example.org has bound itself" in words
    assert "and nobody else has signed that journal" in words
    assert "What was not disclosed" not in result.stdout
    report = told(terminal, files, files.silent)
    assert (report["silence"]["answers"], report["silence"]["journal_size"]) == ([], report["journal"]["size"])
    assert report["messages"][0]["receipt"]["receiver"] == "n1.qn.nodes.gsp.example.org"


def test_before_the_deadline_nobody_says_that_no_answer_came(files, terminal):
    report = told(terminal, files, files.waiting)
    assert report["silence"] is None
    assert "That no answer came: this file holds none, and its maker says nothing of it." in report["not_proven"]


def test_a_node_that_has_forgotten_something_does_not_say_that_it_never_came(files, terminal):
    report = told(terminal, files, files.forgetful)
    assert (report["silence"], len(report["messages"])) == (None, 1)
    assert report["journal"]["name"] != "n1.qm.nodes.gsp.example.org/journal"


def test_who_was_not_reached_is_not_silent(files, terminal):
    report = told(terminal, files, files.unreached)
    assert report["silence"] is None
    assert any(sentence.startswith("That the query arrived: ") for sentence in report["not_proven"])


def test_an_answer_that_came_in_the_end_ends_the_silence(files, terminal):
    assert told(terminal, files, files.late)["silence"] is None


def test_the_answering_side_proves_that_its_answer_was_receipted(files, terminal):
    report = told(terminal, files, files.answerers)
    query, answer = report["messages"]
    assert report["exporter"] == answer["sender"]
    assert answer["receipt"]["receiver"] == query["sender"]


def test_a_late_answer_does_not_refute_what_was_true_when_it_was_said(files, terminal):
    other = terminal.folder / "other.proof"
    other.write_bytes(files.answerers)
    report = told(terminal, files, files.silent, "--against", str(other))
    assert (report["reply"]["refuted"], len(report["reply"]["later"])) == ([], 1)
    assert "came later" in verify(terminal, files, files.silent, "--against", str(other)).stdout


def test_a_file_that_says_nothing_of_silence_cannot_be_refuted(files, terminal):
    other = terminal.folder / "other.proof"
    other.write_bytes(files.answerers)
    result = verify(terminal, files, files.late, "--against", str(other))
    assert result.exit_code == ExitCode.USAGE
    assert "does not say that no answer came" in result.stderr


# --- in a process of its own ---


def _alone(tmp_path: Path, program: str, **environment: str) -> str:
    """Run it with a fresh interpreter, in an empty folder, where no import of the checkout is found by chance."""
    done = subprocess.run(  # our own interpreter, and a program of this file
        [sys.executable, "-I", "-c", program],
        cwd=tmp_path,
        env={**environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_verifier_brings_no_network_no_store_and_no_node(tmp_path):
    program = (
        "import sys, federation.boundary.proof\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'grpc', 'sqlite3', '_sqlite3', 'node', 'asyncio', 'ssl', 'click'}))"
    )
    assert _alone(tmp_path, program).strip() == "[]"


def test_the_example_of_the_library_does_what_the_document_says(files, tmp_path):
    document = text(Path("docs/protocol.md"))
    assert (ROOT / "docs/protocol.md").exists()
    (example,) = [block.split("```")[0] for block in document.split("```python\n")[1:]]
    program = example.replace("LOG_KEY", repr(files.log_key)).replace("GENESIS", repr(files.genesis))
    (tmp_path / "case-7.proof").write_bytes(files.silent)

    said = _alone(tmp_path, program).splitlines()

    assert any(line.startswith("proven: n1.qm.nodes.gsp.example.org has bound itself") for line in said)
    assert any(line.startswith("not proven: That an answer was not sent") for line in said)
    assert [path.name for path in tmp_path.iterdir()] == ["case-7.proof"]


# --- many at once ---


@pytest.fixture
def asked(terminal) -> list[str]:
    ask_one = ["ask", "QN0123456789", "--to", "qn", "--purpose", "detection", "--necessity", "A lorry."]
    return [json.loads(terminal.run_words([*ask_one, "--json"]).stdout)["id"] for _ in range(3)]


def test_the_proofs_of_a_time_are_one_file_each_and_made_once(terminal, asked):
    folder = terminal.folder / "proofs"
    command = f"proof export --since 2020-01-01 --folder {folder} --disclose statements --json"
    first = json.loads(terminal.run(command).stdout)
    assert sorted(first["made"]) == sorted(asked)
    assert sorted(path.stem for path in folder.iterdir()) == sorted(asked)

    (folder / f"{asked[1]}.proof").unlink()
    again = json.loads(terminal.run(command).stdout)
    assert (again["made"], len(again["there"])) == ([asked[1]], 2)


def test_nothing_of_another_time_is_exported(terminal, asked):
    folder = terminal.folder / "proofs"
    result = json.loads(terminal.run(f"proof export --since 2020-01-01 --until 2020-02-01 --folder {folder} --json").stdout)
    assert result["made"] == []
    assert asked


def test_what_cannot_be_proved_stops_no_other(terminal, asked):
    folder, unknown = terminal.folder / "proofs", "ab" * 16
    result = json.loads(terminal.run(f"proof export {unknown} {asked[0]} --folder {folder} --json").stdout)
    assert (result["made"], result["refused"][0]["id"]) == ([asked[0]], unknown)


def test_a_run_writes_so_many_and_the_next_goes_on(terminal, asked, monkeypatch):
    monkeypatch.setattr(limits, "PROOFS_PER_RUN_MAX", 2)
    folder = terminal.folder / "proofs"
    stopped = terminal.run(f"proof export {' '.join(asked)} --folder {folder}")
    assert (stopped.exit_code, len(list(folder.iterdir()))) == (ExitCode.USAGE, 2)
    assert "it goes on from here" in stopped.stderr
    assert terminal.run(f"proof export {' '.join(asked)} --folder {folder}").exit_code == 0
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize(
    "words",
    [
        "--folder f",
        "ID ID -o x",
        "ID",
        "-o x",
        "ID --folder f -o x",
        "ID --since 2020-01-01 --folder f",
        "ID -o x --no-content --disclose all",
    ],
)
def test_what_makes_no_sense_together_is_said(terminal, words):
    result = terminal.run("proof export " + words.replace("ID", "ab" * 16))
    assert result.exit_code == ExitCode.USAGE


def test_what_came_in_is_exported_with_the_right_to_answer(terminal):
    waiting = terminal.desk.receive()
    folder = terminal.folder / "proofs"
    result = json.loads(terminal.run(f"proof export --since 2020-01-01 --received --folder {folder} --json").stdout)
    assert [one["id"] for one in result["refused"]] == [waiting.hex()] or result["made"] == [waiting.hex()]
