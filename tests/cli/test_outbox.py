"""`gsp outbox`, as an officer sees it."""

from __future__ import annotations

import json

import pytest

from federation.envelope.header import Lane
from node.cli.exit_codes import ExitCode
from node.use_cases.held import OutboxView, Queue
from tests.support import samples
from tests.support.samples import QM, QN

HELD = samples.outgoing(7, held_since=1_700_000_000, problem="forbidden", reason="not for you", attempts=1)
FULL = OutboxView(
    queues=(
        Queue(
            peer=QM,
            lanes=((Lane.URGENT, 1), (Lane.BULK, 4)),
            since=1_700_000_000,
            away=True,
            next_try_s=120,
            problem="unreachable",
        ),
        Queue(peer=QN, lanes=((Lane.NORMAL, 2),), since=1_700_000_000, away=False, next_try_s=0, problem="overloaded"),
    ),
    held=(HELD,),
    poisons=(samples.poison(3),),
    numbers=("the normal lane of qp: number 41 never came",),
)


def test_an_empty_outbox_says_so(terminal):
    result = terminal.run("outbox list")
    assert (result.exit_code, result.stdout) == (ExitCode.FINE, "Nothing waits for another Party.\n")


def test_what_waits_what_is_held_and_what_is_odd_is_shown_in_words(terminal):
    terminal.desk.outbox = FULL
    result = terminal.run("outbox list")
    assert result.exit_code == ExitCode.WARNING
    for words in (
        "1 urgent, 4 bulk",
        "does not answer; tried again in 120 s",
        "not yet: overloaded",
        "forbidden: not for you",
        "KeyError at answering.py:7",
        "number 41 never came",
        "no accusation",
    ):
        assert words in result.stdout


def test_programs_get_the_same(terminal):
    terminal.desk.outbox = FULL
    found = json.loads(terminal.run("outbox list --json").stdout)
    assert found["waiting"][0]["lanes"] == {"urgent": 1, "bulk": 4}
    assert [one["away"] for one in found["waiting"]] == [True, False]
    assert (found["held"][0]["id"], found["held"][0]["reason"]) == (HELD.message_id.hex(), "not for you")
    assert found["not_taken"][0]["times"] == 1
    assert found["numbers"] == list(FULL.numbers)


@pytest.mark.parametrize(("verb", "words"), [("retry", "once more"), ("drop", "Given up")])
def test_a_held_message_has_a_way_out(terminal, verb, words):
    terminal.desk.outbox = FULL
    result = terminal.run(f"outbox {verb} {HELD.message_id.hex()}")
    assert result.exit_code == ExitCode.FINE
    assert words in result.stdout
    assert terminal.run(f"outbox {verb} {HELD.message_id.hex()}").exit_code == ExitCode.NOT_FOUND
