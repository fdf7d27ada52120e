"""Every state, step and error code has words, and four different things are told apart in them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from federation.delivery.timeline import TROUBLES, Step, TimelineEvent, Trouble, trouble_of
from federation.envelope.header import MessageKind
from federation.identity import PartyId, message_id
from federation.ports import Direction, PeerSeen
from federation.query.answer import Answer, CodeResult
from federation.query.codes import Automation, HandlingCode, Outcome, Refusal
from node.cli.peer_words import WEATHERS, peer_lines, peers_table
from node.cli.why_document import explanation_document
from node.cli.why_words import (
    ADVICE,
    NEXT,
    PROBLEMS,
    RETRYING,
    SHORT,
    WAITS,
    advice,
    explanation_lines,
    next_words,
    problem_words,
    step_words,
    summary,
)
from node.use_cases.explaining import HELD_UP, delivering, said
from node.use_cases.why_values import Explanation, Situation, Weather, WhyLine
from tests.support.documents import commands, error_tree
from tests.support.fake_why import peer_views

QN = PartyId("qn")
NOON = 1_800_014_400
QUERY, ANSWER = message_id(bytes(15) + b"\1"), message_id(bytes(15) + b"\2")


def line(step: Step, at: int, *, kind: MessageKind = MessageKind.QUERY, direction: Direction = Direction.SENT, **more) -> WhyLine:
    identifier = QUERY if kind is MessageKind.QUERY else ANSWER
    event = TimelineEvent(direction=direction, message_id=identifier, step=step, first=at, last=at, **more)
    return WhyLine(kind=kind, event=event)


def why(situation: Situation = Situation.WAITING, *lines: WhyLine, **more) -> Explanation:
    values = {
        "message_id": QUERY,
        "side": Direction.SENT,
        "peer": QN,
        "peer_name": "Nerania",
        "situation": situation,
        "deadline": NOON + 5 * 3_600,
        "seen": PeerSeen(party=QN),
        "lines": lines,
    }
    return Explanation(**{**values, **more})


# --- nothing is without words ---


def test_every_error_code_is_a_kind_of_trouble_and_has_words():
    codes = {error.code for error in error_tree()}

    assert TROUBLES.keys() == codes
    assert PROBLEMS.keys() == codes
    assert set(TROUBLES.values()) == set(Trouble)


def test_every_kind_of_trouble_is_a_situation_that_is_tried_again():
    assert HELD_UP.keys() == set(Trouble)
    assert {*HELD_UP.values(), Situation.QUEUED} == RETRYING


@pytest.mark.parametrize("situation", Situation)
@pytest.mark.parametrize("automation", [None, *Automation])
def test_every_situation_has_its_words_in_every_place(situation, automation):
    explained = why(situation, line(Step.SEALED, NOON), automation=automation)
    lines = list(explanation_lines(explained, now=NOON))

    assert len(lines) == 8
    assert all(len(one.split(maxsplit=1)) == 2 for one in lines if one != "Happened")
    assert SHORT[situation]
    assert not re.search(r"[{}]", "".join(lines))
    assert set(explanation_document(explained, now=NOON)["words"]) == {"state", "summary", "waits_for", "next", "you_can"}


def test_what_is_not_tried_again_says_what_comes_instead():
    assert NEXT.keys() == set(Situation) - RETRYING - {Situation.TO_ANSWER}


@pytest.mark.parametrize("table", [SHORT, WAITS, ADVICE], ids=["short", "waits", "advice"])
def test_no_table_has_words_for_what_there_is_not(table):
    assert table.keys() == set(Situation)


@pytest.mark.parametrize("situation", Situation)
def test_no_advice_names_a_verb_that_there_is_not(situation):
    typed = re.findall(r"`(gsp [^`]+)`", advice(why(situation)))

    assert {" ".join(command.split()[:2]) for command in typed} <= {" ".join(name.split()[:2]) for name, _ in commands()}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("direction", Direction)
def test_every_step_has_words(step, count, direction):
    words = step_words(line(step, NOON, direction=direction, count=count, reason="unreachable" if step is Step.TRIED else ""))

    assert words
    assert words.endswith(", 3 times") or "2 times" in words or "3 times:" in words or count == 1


def test_every_weather_has_words():
    assert WEATHERS.keys() == set(Weather)


# --- four different things ---


@pytest.mark.parametrize(
    ("code", "situation"),
    [
        ("unreachable", Situation.UNREACHABLE),
        ("forbidden", Situation.REFUSING),
        ("unknown-party", Situation.UNKNOWING),
        ("overloaded", Situation.BUSY),
        ("misuse", Situation.OWN),
        ("of-a-later-version", Situation.OWN),
        ("", Situation.QUEUED),
    ],
)
def test_how_the_last_try_failed_says_where_a_message_stands(code, situation):
    assert delivering(code) is situation


def test_a_code_of_a_later_version_is_shown_as_it_is():
    assert problem_words("of-a-later-version") == "of-a-later-version"
    assert trouble_of("of-a-later-version") is Trouble.OWN


def test_unreachable_refusing_not_knowing_and_late_are_worded_as_four_different_things():
    four = [Situation.UNREACHABLE, Situation.REFUSING, Situation.DOES_NOT_KNOW, Situation.LATE]
    waits, advised = {WAITS[one] for one in four}, {ADVICE[one] for one in four}

    assert len(waits) == len(advised) == 4
    assert all("answered" not in WAITS[one] for one in four if one is not Situation.DOES_NOT_KNOW)


def answer(*outcomes: Outcome) -> Answer:
    return Answer(
        results=tuple(
            CodeResult(
                key=f"CODE{number}",
                outcome=outcome,
                refusal=Refusal.NATIONAL_SECURITY if outcome is Outcome.REFUSED else None,
            )
            for number, outcome in enumerate(outcomes)
        ),
        automation=Automation.AUTOMATIC,
        final=True,
        handling=HandlingCode.H1,
        text="",
        industry_consulted=False,
    )


@pytest.mark.parametrize(
    ("outcomes", "situation"),
    [
        ((Outcome.REFUSED, Outcome.REFUSED), Situation.REFUSED),
        ((Outcome.NEVER_ISSUED, Outcome.NOT_OURS), Situation.DOES_NOT_KNOW),
        ((Outcome.REFUSED, Outcome.NOT_OURS), Situation.ANSWERED),
    ],
)
def test_a_signed_refusal_and_a_signed_ignorance_are_answers_and_not_the_same_one(outcomes, situation):
    assert said([answer(*outcomes)]) is situation
    assert said([None, answer(*outcomes)]) is situation  # one that was erased says nothing
    assert said([None]) is Situation.ANSWERED


# --- the line that the officer reads first ---


def test_the_whole_story_in_one_line():
    lines = (
        line(Step.SEALED, NOON - 7_080),
        line(Step.TRIED, NOON - 7_000, reason="unreachable", count=2),
        line(Step.DELIVERED, NOON - 5_340),
    )
    seen = PeerSeen(party=QN, offset_ms=-42_300, offset_at=NOON)

    assert (
        summary(why(Situation.WAITING, *lines, seen=seen), now=NOON)
        == "queued 10:02, tried 3 times, their clock is 42 s behind, delivered 10:31, due in 5 h"
    )


def test_a_clock_that_agrees_is_not_worth_a_word_and_another_day_is_named():
    seen = PeerSeen(party=QN, offset_ms=999, offset_at=NOON)
    explained = why(Situation.LATE, line(Step.SEALED, NOON - 86_400), seen=seen, deadline=NOON - 7_200)

    assert summary(explained, now=NOON) == "queued 2027-01-14 12:00, due 2 h ago"


def test_what_came_is_told_from_the_other_side():
    lines = (
        line(Step.RECEIVED, NOON - 60, direction=Direction.RECEIVED),
        line(Step.SEALED, NOON, kind=MessageKind.ANSWER),
        line(Step.TRIED, NOON, kind=MessageKind.ANSWER, reason="unreachable", count=4),
    )
    explained = why(Situation.UNREACHABLE, *lines, side=Direction.RECEIVED)

    assert summary(explained, now=NOON) == "received 11:59, queued 12:00, tried 4 times, due in 5 h"


def test_the_answer_that_came_is_in_it():
    came = line(Step.RECEIVED, NOON, kind=MessageKind.ANSWER, direction=Direction.RECEIVED)

    assert summary(why(Situation.ANSWERED, line(Step.SEALED, NOON), came), now=NOON) == "queued 12:00, an answer came 12:00"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"next_attempt": NOON + 90.0}, "the node tries again by itself, in 90 s"),
        ({"next_attempt": NOON - 1.0}, "the node tries again by itself, now"),
        ({"next_attempt": NOON + 600.0, "ahead": 7}, "the node tries again by itself, in 10 min; 7 were queued before it"),
    ],
)
def test_what_comes_next_and_when(more, words):
    assert next_words(why(Situation.BUSY, **more), now=NOON) == words


def test_a_query_that_the_policy_answers_waits_for_data_and_any_other_for_an_officer():
    waits = why(Situation.TO_ANSWER, side=Direction.RECEIVED, automation=Automation.AUTOMATIC)

    assert "by itself as soon as the data" in next_words(waits, now=NOON)
    assert "an officer has to answer, due in 5 h" in next_words(replace(waits, automation=Automation.MANUAL), now=NOON)


# --- peers ---


def test_what_is_not_known_of_a_peer_is_said_to_be_unknown():
    (view,) = peer_views({QN: "Nerania"}, NOON)
    blank = replace(view, seen=PeerSeen(party=QN), weather=Weather.NEVER_MET)
    row = peers_table([blank], now=NOON)[1]

    assert row.split()[:4] == ["qn", "never", "never", "0"]
    assert row.count("unknown") == 4
    assert "unknown: it does not say" in "\n".join(peer_lines(blank, now=NOON))


def test_no_peers_are_a_sentence_and_no_empty_table():
    assert peers_table([], now=NOON) == ["The directory here lists no other Party's node."]


def test_a_certificate_that_has_ended_is_said_to_have():
    (view,) = peer_views({QN: "Nerania"}, NOON)
    ended = replace(view, seen=replace(view.seen, certificate_ends=NOON - 7_200))

    assert "ended 2 h ago" in peers_table([ended], now=NOON)[1]
