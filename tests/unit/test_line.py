"""The line to one peer, and what an error says of the next try."""

from __future__ import annotations

import pytest

from federation import errors, limits
from federation.delivery.line import Line, after_call, after_silence
from federation.delivery.outbox import Verdict, held, in_order, released, verdict_on
from tests.support import samples
from tests.support.samples import message_id


def silent(line: Line, at: float, *, began: float | None = None) -> Line:
    return after_silence(line, began=at if began is None else began, now=at, jitter=0.999)


def test_a_line_breaks_after_a_few_rounds_and_not_before():
    line = Line()
    for at in range(limits.LINE_FAILURES_MAX):
        assert not line.is_broken
        line = silent(line, float(at))
    assert line.is_broken


def test_tries_that_were_under_way_together_count_once():
    line = silent(Line(), 10.0, began=0.0)
    for at in range(11, 75):
        line = silent(line, float(at), began=1.0)
    assert line.failures == 1


def test_probes_become_rarer_up_to_the_cap_and_never_come_in_step():
    line, waits = Line(), []
    for at in range(0, 100_000, 1_000):
        line = silent(line, float(at))
        waits.append(round(line.next_probe - at, 6))
    assert waits == sorted(waits)
    assert limits.RETRY_S_MAX * 0.99 < waits[-1] <= limits.RETRY_S_MAX
    early = after_silence(line, began=1e6, now=1e6, jitter=0.0)
    assert early.next_probe - 1e6 == limits.RETRY_S_MAX / 2


def test_a_peer_that_was_away_for_ten_minutes_is_probed_every_few_seconds():
    line, at = Line(), 0.0
    while at < 600:
        line = silent(line, at)
        at = max(line.next_probe, at + 1)
    assert line.next_probe - line.failed_at <= 600 / limits.LINE_PROBES_SHARE == 5


def test_a_call_makes_the_line_whole_and_one_more_silence_breaks_it():
    line = Line()
    for at in range(20):
        line = silent(line, float(at))
    line = after_call(line)
    assert not line.is_broken
    assert silent(line, 100.0).is_broken
    assert after_call(Line()) == Line()


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (errors.Unreachable, Verdict.SILENT),
        (errors.Overloaded, Verdict.LATER),
        (errors.StoreUnavailable, Verdict.LATER),
        (errors.DeadlinePassed, Verdict.LATER),
        (errors.Unauthentic, Verdict.LATER),
        (errors.UnknownParty, Verdict.LATER),
        (errors.Misuse, Verdict.LATER),
        (errors.Forbidden, Verdict.REFUSED),
        (errors.Malformed, Verdict.REFUSED),
        (errors.Oversized, Verdict.REFUSED),
        (errors.Replayed, Verdict.REFUSED),
        (errors.Incompatible, Verdict.REFUSED),
        (errors.Unprocessable, Verdict.REFUSED),
    ],
)
def test_what_an_error_says_of_the_next_try(error, verdict):
    assert verdict_on(error("said")) is verdict


def test_of_one_conversation_the_first_goes_and_what_is_held_delays_nothing():
    talk = message_id(50)
    waiting = [
        samples.outgoing(1, conversation=talk, held_since=5),
        samples.outgoing(2, conversation=talk),
        samples.outgoing(3, conversation=talk),
        samples.outgoing(4),
        samples.outgoing(5),
    ]
    assert [one.message_id for one in in_order(waiting)] == [message_id(number) for number in (2, 4, 5)]


def test_what_is_held_can_be_released():
    first = samples.outgoing(1)
    refused = held(first, errors.Forbidden("not you"), now=77)
    assert (refused.held_since, refused.problem, refused.reason, refused.attempts) == (77, "forbidden", "not you", 1)
    again = released(refused, now=99.0)
    assert (again.held_since, again.reason, again.next_attempt) == (0, "", 99.0)
