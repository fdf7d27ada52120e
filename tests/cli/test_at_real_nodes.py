"""The officer's program at real nodes: it signs what they prepare, and a stranger can check the proof of what crossed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.evidence.bundle import Disclosure
from federation.identity import PartyId
from federation.query.codes import Automation, HandlingCode, Outcome, Purpose, Urgency
from federation.query.items import Item
from federation.query.lifecycle import AskedState
from node.cli.answer import Wording, compose, send
from node.cli.ask import Wish, ask_at_desk
from node.cli.exit_codes import ExitCode
from node.cli.profile import Profile
from node.cli.session import Session, follow
from tests.support.fake_desk import LocalDesk
from tests.support.federation import Federation, federating
from tests.support.simulated_node import SimNode
from tests.support.virtual_clock import VirtualLoop, WallClock, run_virtual


@dataclass
class AtDesk:
    """Every method of the desk of a simulated node."""

    node: SimNode

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self.node.at_desk(lambda desk: getattr(desk, name)(*args, **kwargs))

        return call


def session_at(federation: Federation, party: str) -> Session:
    node = federation[party]
    officer = node.kit.officers[0]
    profile = Profile(
        folder=Path("profile"),
        officer=officer.name,
        desk="127.0.0.1:8443",
        node=node.kit.name,
        certificate=officer.certificate,
        party_cas=(node.kit.ca.certificate,),
        signer=officer.signer,
    )
    return Session(profile=profile, desk=LocalDesk(desk=AtDesk(node), profile=profile), clock=WallClock(federation.loop))


def wish(*codes: str, items: frozenset[Item] = frozenset(Item)) -> Wish:
    return Wish(
        scans=codes,
        to=PartyId("qn"),
        items=items,
        purpose=Purpose.DETECTION,
        necessity="A lorry was stopped.",
        handling=HandlingCode.H1,
        urgency=Urgency.URGENT,
        reference="CASE-7",
        deadline_s=86_400,
        wait_s=0.0,
        lenient=False,
    )


BY_HAND = Wording(
    draft=True,
    file=None,
    refusal=None,
    outcome=None,
    edits=("c=withheld-investigation",),
    text="More by post.",
    handling=HandlingCode.H2,
    interim=False,
    industry_consulted=False,
)


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a court would get, and from whom it would get the keys.

    Attributes:
        closed: the same without its content.
        undelivered: of a query that did not arrive.
    """

    open: bytes
    closed: bytes
    undelivered: bytes
    log_key: str
    genesis: str


@pytest.fixture(scope="module")
def files() -> Files:
    """Two queries: a policy answered the first, and the line was cut before the second."""

    async def main(loop: VirtualLoop) -> Files:
        async with federating(loop, parties=3) as federation:
            officer = session_at(federation, "qm")
            answerer = federation["qn"].kit
            answered = await ask_at_desk(wish(answerer.codes[0]), officer)
            federation.network.part([officer.profile.node], [answerer.name])
            queued = await ask_at_desk(wish(answerer.codes[0]), officer)
            assert queued.asked.state is AskedState.QUEUED
            return Files(
                open=await officer.desk.proof(answered.asked.message_id, disclose=Disclosure.ALL),
                closed=await officer.desk.proof(answered.asked.message_id, disclose=Disclosure.NONE),
                undelivered=await officer.desk.proof(queued.asked.message_id, disclose=Disclosure.ALL),
                log_key=federation.treaty.log_signer.public_key.hex(),
                genesis=federation.treaty.founded.digest.hex(),
            )

    return run_virtual(main)


def verify(terminal, raw: bytes, *, log_key: str, genesis: str, json_too: bool = False):
    path = terminal.folder / "case.proof"
    path.write_bytes(raw)
    words = ["proof", "verify", str(path), "--log-key", log_key, "--genesis", genesis]
    return terminal.run_words([*words, "--json"] if json_too else words, officer=False)


def test_a_proof_is_told_in_words(files, terminal):
    result = verify(terminal, files.open, log_key=files.log_key, genesis=files.genesis)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("The proof holds. It stands on the directory of ")
    assert sum(line.startswith("Message   ") for line in lines) == 2
    assert sum(" over its signature" in line for line in lines) == 1
    assert "          recorded as received in the journal of n1.qm.nodes.gsp.example.org" in lines
    assert not any("no receipt" in line for line in lines)
    assert "Necessity A lorry was stopped." in lines
    assert any("by the Party's policy" in line for line in lines)


def test_a_proof_is_told_to_programs(files, terminal):
    report = json.loads(verify(terminal, files.open, log_key=files.log_key, genesis=files.genesis, json_too=True).stdout)
    query, answer = report["messages"]
    assert report["holds"]
    assert query["content"]["said"]["necessity"] == "A lorry was stopped."
    assert answer["content"]["said"]["results"][0]["outcome"] == Outcome.FOUND
    assert query["receipt"]["receiver"] == answer["sender"]


def test_a_proof_without_content_shows_that_it_crossed_and_no_more(files, terminal):
    result = verify(terminal, files.closed, log_key=files.log_key, genesis=files.genesis)
    assert result.exit_code == 0
    assert "the content is not disclosed" in result.stdout
    assert "lorry" not in result.stdout


def test_what_did_not_arrive_is_not_proved_to_have_arrived(files, terminal):
    result = verify(terminal, files.undelivered, log_key=files.log_key, genesis=files.genesis)
    assert result.exit_code == 0
    assert "no receipt of the other side: that it arrived is not proved" in result.stdout


@pytest.mark.parametrize("wrong", ["log_key", "genesis"])
def test_a_proof_proves_nothing_to_whoever_trusts_another_directory(files, terminal, wrong):
    trusted = {"log_key": files.log_key, "genesis": files.genesis, wrong: "ab" * 32}
    result = verify(terminal, files.open, **trusted)
    assert (result.exit_code, result.stdout) == (ExitCode.MISBEHAVIOUR, "")


def test_one_changed_byte_breaks_a_proof(files, terminal):
    place = files.open.index(b"A lorry")
    changed = files.open[:place] + b"B" + files.open[place + 1 :]
    result = verify(terminal, changed, log_key=files.log_key, genesis=files.genesis)
    assert result.exit_code == ExitCode.MISBEHAVIOUR


def test_an_answer_by_hand_is_signed_at_the_desk_and_comes_back():
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=3, automation=lambda _number: Automation.MANUAL) as federation:
            asker, answerer = session_at(federation, "qm"), session_at(federation, "qn")
            view = await ask_at_desk(wish(federation["qn"].kit.codes[0], items=frozenset({Item.A, Item.C})), asker)
            assert view.asked.state is AskedState.DELIVERED

            inbox = await answerer.desk.inbox_entry(view.asked.message_id)
            assert await send(answerer, inbox, compose(inbox, BY_HAND), as_json=False) == ExitCode.FINE

            view = await follow(asker.desk, view, wait_s=60)
            (answered,) = view.answers
            assert answered.officer_id == answerer.profile.officer.officer_id
            assert (answered.answer.automation, answered.answer.text) == (Automation.ASSISTED, "More by post.")
            assert answered.answer.results[0].items[2].state == "withheld-investigation"

    run_virtual(main)
