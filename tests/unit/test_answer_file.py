"""An officer's own answer: the file that `--json` shows is the file that `--file` reads, and edits say what they touch."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import FederationError, InvalidInput
from federation.query.answer import check_answers
from federation.query.codes import Automation, Outcome, Refusal
from federation.query.items import FieldName, Item, ItemState
from node.cli.answer_file import blank_answer, checked, edited, read_answer
from node.cli.documents import answer_document
from tests.support import pki
from tests.support.fake_desk import FakeDesk, answer_to, refusing
from tests.support.rpc import SetClock


@pytest.fixture
def query():
    desk = FakeDesk(clock=SetClock(float(pki.NOW)))
    return desk.inbox_rows[desk.receive("LEQMx7Kd93XzP01", "LEQMx7Kd93XzP02")].query


def written(folder, document):
    path = folder / "answer.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.mark.parametrize("make", [lambda query: answer_to(query, automation=Automation.MANUAL, at=pki.NOW), refusing])
def test_what_json_shows_is_what_a_file_says(query, tmp_path, make):
    answer = make(query)
    assert read_answer(written(tmp_path, answer_document(answer))) == answer


def test_what_an_officer_signs_is_never_automatic(query, tmp_path):
    drafted = answer_to(query, automation=Automation.AUTOMATIC, at=pki.NOW)
    assert read_answer(written(tmp_path, answer_document(drafted))).automation is Automation.MANUAL


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{",
        "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"),
        {"results": [], "final": True, "handling": "H1"},
        {"results": [], "final": True, "handling": "H9"},
        {"results": [{"key": "A", "outcome": "found"}], "final": True, "handling": "H1"},
        {"results": [{"key": "A", "outcome": "refused"}], "final": True, "handling": "H1"},
        {"results": [{"key": "A", "outcome": "not-ours", "colour": "red"}], "final": True, "handling": "H1"},
        {"results": [{"key": "A", "outcome": "not-ours"}], "final": True, "handling": "H1", "text": "x" * 5_000},
        {
            "results": [{"key": "A", "outcome": "not-ours", "complete_as_of": "1960-01-01T00:00:00Z"}],
            "final": True,
            "handling": "H1",
        },
    ],
)
def test_a_file_that_cannot_be_an_answer_is_the_officers_to_mend(tmp_path, document):
    with pytest.raises(InvalidInput):
        read_answer(written(tmp_path, document))


@settings(max_examples=40, deadline=None)
@given(raw=st.binary(max_size=200))
def test_any_file_gives_an_answer_or_our_error(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("answers") / "answer.json"
    path.write_bytes(raw)
    with pytest.raises(FederationError):
        read_answer(path)


def test_a_blank_answer_speaks_of_every_code_and_holds_nothing(query):
    answer = blank_answer(query, Outcome.FOUND)
    check_answers(query, answer)
    states = {item.item: item.state for item in answer.results[0].items}
    assert states.pop(Item.E) is ItemState.NOT_ASKED
    assert set(states.values()) == {ItemState.NOT_HELD}


def test_a_refusal_gives_its_reason_for_every_code(query):
    answer = blank_answer(query, Outcome.REFUSED, Refusal.LANGUAGE)
    assert [result.refusal for result in answer.results] == [Refusal.LANGUAGE] * 2


def test_edits_fill_the_items_of_one_code(query):
    edits = ["1:a.date=2026-01-02", "1:a.place=Old=Harbour: north", "1:c=withheld-legal", "2:f.market=QM"]
    first, second = edited(blank_answer(query, Outcome.FOUND), edits).results
    record = first.items[0].records[0]
    assert (record.first(FieldName.DATE), record.first(FieldName.PLACE)) == ("2026-01-02", "Old=Harbour: north")
    assert first.items[2].state is ItemState.WITHHELD_LEGAL
    assert second.items[5].records[0].first(FieldName.MARKET) == "QM"


def test_a_later_edit_of_a_field_replaces_the_earlier(query):
    answer = edited(blank_answer(query, Outcome.FOUND), ["1:a.date=2026-01-02", "1:a.date=2026-01-03"])
    assert [field.value for field in answer.results[0].items[0].records[0].fields] == ["2026-01-03"]


def test_the_number_of_the_only_code_need_not_be_given(query):
    single = replace(query, codes=query.codes[:1])
    assert edited(blank_answer(single, Outcome.FOUND), ["b=not-applicable"]).results[0].items[1].state is ItemState.NOT_APPLICABLE


@pytest.mark.parametrize(
    "edit",
    [
        "a.date=2026-01-02",
        "3:a.date=2026-01-02",
        "0:a.date=2026-01-02",
        "x:a.date=2026-01-02",
        "1:k.date=2026-01-02",
        "1:a.colour=red",
        "1:a=",
        "1:a=provided",
        "1:a.date=",
        "1:a.date",
        "1:a.date=\x1b[31mred",
        "1:a.text=" + "x" * 2_000,
        "²:a.date=2026-01-02",
    ],
)
def test_an_edit_that_means_nothing_is_refused(query, edit):
    with pytest.raises(InvalidInput):
        edited(blank_answer(query, Outcome.FOUND), [edit])


def test_a_code_that_is_not_found_has_no_items_to_edit(query):
    with pytest.raises(InvalidInput, match="only a code that is found"):
        edited(blank_answer(query, Outcome.NEVER_ISSUED), ["1:a.date=2026-01-02"])


def test_a_text_that_moves_the_readers_cursor_is_refused(query):
    with pytest.raises(InvalidInput, match="control characters"):
        checked(replace(blank_answer(query, Outcome.NOT_OURS), text="\x1b[2J"))
