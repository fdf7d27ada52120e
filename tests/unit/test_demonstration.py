"""The parts of the demonstration that need no federation: its cast, pictures, tables and processes, and what it says when it fails."""

from __future__ import annotations

import asyncio
import json

import pytest

from federation.errors import InvalidInput, Misuse
from federation.query.answer import CodeResult
from federation.query.codes import Outcome
from federation.query.items import Field, FieldName, Item, ItemState, Record, absent, provided
from node.cli.demo import _show_end
from node.cli.demonstration.answering import _WITHHELD
from node.cli.demonstration.cast import invent_books, pattern_file, policy_file, read_cast
from node.cli.demonstration.finding import CIS_CODE
from node.cli.demonstration.pictures import draw_case_label, draw_pack
from node.cli.demonstration.processes import Processes, together
from node.cli.demonstration.rendering import candidate_lines, item_table
from node.cli.demonstration.story import CHAPTERS, OPENING, tell_story
from node.cli.demonstration.teller import Teller, require
from node.cli.exit_codes import ExitCode
from node.cli.resolve import resolve_offline
from node.config import read_policy
from node.formats.pictures import read_picture
from node.resources import patterns_folder

NOW = 1_780_000_000
CAST = read_cast()


def described(**items):
    """A result with these items; of the others nothing is held."""
    all_items = tuple(items.get(letter, absent(letter, ItemState.NOT_HELD)) for letter in Item)
    return CodeResult(key="CODE", outcome=Outcome.FOUND, items=all_items)


def record(**fields):
    return Record(fields=tuple(Field(FieldName(name.replace("_", "-")), value) for name, value in fields.items()))


# --- the cast -------------------------------------------------------------------------------------------------------------


def test_every_member_of_the_cast_has_patterns_books_and_a_policy_that_can_be_read():
    books = invent_books(CAST, now=NOW)

    for member in CAST.parties:
        assert pattern_file(member.party).exists()
        assert books.code(member.party, "pack-sold")
        if member.policy is not None:
            read_policy(policy_file(member.policy))


def test_a_region_answers_for_its_members_and_its_own_books_come_last():
    assert CAST.answers_for("qr") == ("qs", "qt", "qr")
    assert CAST.answers_for("qn") == ("qn",)
    assert [member.party for member in CAST.nodes] == ["qm", "qn", "qo", "qp", "qr"]


def test_the_region_keeps_back_exactly_what_the_story_says():
    (rule,) = read_policy(policy_file(CAST.member("qr").policy)).rules

    assert {one.item: one.state for one in rule.items} == _WITHHELD


# --- pictures and tables --------------------------------------------------------------------------------------------------


def test_the_picture_of_a_pack_reads_as_its_code(tmp_path):
    draw_pack("LEQN1a7Kd93XzP01M0124031509", tmp_path / "pack.png")

    assert [one.scan for one in read_picture((tmp_path / "pack.png").read_bytes())] == ["]d1LEQN1a7Kd93XzP01M0124031509"]


def test_the_label_of_a_case_reads_as_a_gs1_bar_code(tmp_path):
    draw_case_label("395011010000000170", tmp_path / "case.png")

    assert [one.scan for one in read_picture((tmp_path / "case.png").read_bytes())] == ["]C100395011010000000170"]


def test_a_table_has_a_line_for_each_item_and_says_why_one_is_missing():
    head, *lines = item_table(described(e=absent(Item.E, ItemState.WITHHELD_LEGAL)))

    assert head.split() == ["ITEM", "ABOUT", "WHAT", "THE", "PARTY", "SAYS"]
    assert [line.split()[0] for line in lines] == list("abcdefghij")
    assert lines[4].endswith("withheld: domestic law")
    assert lines[0].endswith("not held")


def test_of_many_events_a_table_shows_the_newest_and_says_how_many_there_are():
    events = [record(event="dispatch", time="2026-03-01T10:00:00Z"), record(event="arrival", time="2026-03-02T10:00:00Z")]

    line = item_table(described(h=provided(Item.H, *events)))[8]

    assert line.endswith("arrival, 2026-03-02 10:00:00 UTC (one of 2 records)")


def test_a_table_passes_over_records_that_tell_nothing_of_what_it_shows():
    first_customer = provided(Item.E, record(payment="P-1"), record(name="Harbour Wholesale"))

    assert "Harbour Wholesale (one of 2 records)" in item_table(described(e=first_customer))[5]


def test_an_item_that_tells_nothing_of_what_a_table_shows_is_still_said_to_be_given():
    assert item_table(described(c=provided(Item.C, record(machine_id="M-1"))))[3].endswith("given, see the full answer")


def test_candidates_are_shown_in_their_order_with_points_and_reasons():
    (found,) = resolve_offline([CIS_CODE], patterns_folder(), now=NOW)
    resolution = found.resolution

    text = "\n".join(candidate_lines(resolution))

    assert [text.index(f"{place}.  ") for place in (1, 2, 3, 4)] == sorted(text.index(f"{place}.  ") for place in (1, 2, 3, 4))
    assert all(f"{ranked.candidate.score} points" in text for ranked in resolution.parties)
    assert "its check digit holds" in text


# --- processes ------------------------------------------------------------------------------------------------------------


async def test_a_verb_that_fails_is_told_with_its_own_words(tmp_path):
    async with Processes(tmp_path) as processes:
        with pytest.raises(Misuse, match=r"party load .* ended with 66: there is no folder"):
            await processes.verb("party", "load", tmp_path / "commands.txt", "--home", tmp_path / "nowhere")

    assert (tmp_path / "commands.txt").read_text().startswith("gsp party load ")


async def test_a_node_that_does_not_start_is_told_at_once(tmp_path):
    async with Processes(tmp_path) as processes:
        with pytest.raises(Misuse, match="ended before it said 'ready'"):
            await processes.node("qm", "party", "run", "--home", tmp_path / "nowhere", "--passphrase-file", tmp_path / "none")

    assert "error" in (tmp_path / "logs" / "qm.log").read_text()


async def test_no_process_outlives_the_block(tmp_path):
    async with Processes(tmp_path) as processes:
        running = await processes.begin("party", "load", "--help")
        assert running.process.returncode is None

    assert running.process.returncode is not None


async def test_together_gives_results_in_order():
    async def later(number):
        await asyncio.sleep(0.01 / number)
        return number

    assert await together(later(1), later(2), later(3)) == [1, 2, 3]


async def test_together_the_first_failure_ends_the_others_and_is_raised_as_it_is():
    ended = []

    async def for_ever():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def fails():
        await asyncio.sleep(0)
        raise InvalidInput("wrong")

    with pytest.raises(InvalidInput, match="wrong"):
        await together(for_ever(), fails())
    assert ended == [True]


# --- the story ------------------------------------------------------------------------------------------------------------


class Unbuildable:
    """Stands for a federation that cannot be built."""

    async def build(self, say):
        say("The Secretariat has founded the directory.")
        raise Misuse("no room on the disk", hint="make room")


async def test_a_story_that_does_not_hold_names_its_chapter():
    teller = Teller(aloud=False, pauses=False)

    failure = await tell_story(Unbuildable(), teller)

    assert failure.message == f'chapter 0, "{OPENING}", does not hold: no room on the disk'
    assert failure.hint == "make room"
    assert teller.chapter.problem == "no room on the disk"


async def test_a_story_that_does_not_hold_ends_as_one_document_and_with_a_failure(capsys):
    teller = Teller(aloud=False, pauses=False)
    failure = await tell_story(Unbuildable(), teller)

    code = _show_end(teller, failure, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert code == document["exit_code"] == ExitCode.INTERNAL
    assert (document["holds"], document["error"]["message"]) == (False, failure.message)
    assert [(chapter["number"], chapter["holds"]) for chapter in document["chapters"]] == [(0, False)]


async def test_a_story_that_does_not_hold_is_an_error_for_people():
    teller = Teller(aloud=False, pauses=False)
    failure = await tell_story(Unbuildable(), teller)

    with pytest.raises(Misuse, match="chapter 0"):
        _show_end(teller, failure, as_json=False)


async def test_chapters_are_numbered_and_keep_their_own_facts():
    teller = Teller(aloud=False, pauses=False)
    for number, chapter in enumerate(CHAPTERS):
        teller.begin(chapter.title)
        teller.note(number=number)
        await teller.end()

    assert [(told.number, told.facts) for told in teller.chapters] == [(number, {"number": number}) for number in range(8)]


async def test_a_silent_teller_prints_nothing_and_a_loud_one_wraps_its_words(capsys):
    for aloud in (False, True):
        Teller(aloud=aloud, pauses=False).say("word " * 60)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(len(line) <= 100 for line in lines)


def test_a_fact_that_is_not_so_ends_the_story():
    require(True, "nothing to say")
    with pytest.raises(Misuse, match="the outcome is refused"):
        require(False, "the outcome is refused")
