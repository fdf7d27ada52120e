"""The verbs, one by one: what the transcripts do not show."""

from __future__ import annotations

import io
import json
import stat
from dataclasses import replace

import pytest
from PIL import Image

from federation.errors import Malformed, Overloaded, Unreachable
from federation.query.answer import check_answers
from federation.query.codes import Automation, Outcome, Refusal
from federation.query.items import Item
from node.cli.exit_codes import ExitCode
from node.cli.output import rfc3339
from node.resources import patterns_folder
from node.use_cases.desk_values import Check, Health, Standing
from tests.support import pki
from tests.support.fake_desk import CODE_OF_QN, answer_to, refusing
from tests.support.symbols import file_of, symbol

ASK = ["ask", CODE_OF_QN, "--necessity", "A lorry was stopped.", "--purpose", "detection"]
ID = "00000000000000000000000000000001"


def document(result):
    return json.loads(result.stdout)


# --- resolve ---------------------------------------------------------------------------------------------------------


def test_a_code_is_resolved_without_a_node(terminal):
    result = terminal.run(f"resolve {CODE_OF_QN} --library {patterns_folder()} --json", officer=False)
    (resolution,) = document(result)["resolutions"]
    first = resolution["parties"][0]
    assert (first["party"], first["membership"], first["responder"]) == ("qn", "unknown", None)
    assert first["names_issuer"]
    assert {"item": "f", "name": "market", "value": "QN"} in first["facts"]


def test_without_a_directory_nobody_is_called_a_party(terminal):
    result = terminal.run(f"resolve {CODE_OF_QN} --library {patterns_folder()}", officer=False)
    assert "may be a Party: there is no directory here to say" in result.stdout


def test_a_library_that_is_not_in_order_is_named(terminal):
    (terminal.folder / "bad.toml").write_text("party = 7")
    result = terminal.run(f"resolve {CODE_OF_QN} --library {terminal.folder}", officer=False)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "bad.toml" in result.stderr


def test_a_code_is_read_from_a_picture(terminal):
    picture = terminal.folder / "pack.png"
    picture.write_bytes(file_of(symbol(CODE_OF_QN)))
    result = terminal.run(f"resolve --image {picture} --json")
    assert document(result)["resolutions"][0]["scan"] == "]d1" + CODE_OF_QN


def test_a_typed_code_that_no_pattern_knows_is_never_put_right_and_similar_ones_are_offered(terminal):
    typed = CODE_OF_QN.replace("2403", "24O3")
    assert typed != CODE_OF_QN
    for where in ("", f" --library {patterns_folder()}"):
        result = terminal.run(f"resolve {typed} --suggest --json{where}")
        (resolution,) = document(result)["resolutions"]
        assert result.exit_code == ExitCode.NOT_FOUND
        assert (resolution["scan"], resolution["parties"]) == (typed, [])
        offered = resolution["suggestions"]
        assert {
            "key": {"text": CODE_OF_QN, "form": "plain"},
            "party": "qn",
            "pattern_id": "qn-pack",
            "change": "confused",
        } in offered
    words = terminal.run(f"resolve {typed} --suggest").stdout
    assert "a guess that only its Party can confirm" in words
    assert CODE_OF_QN in words
    assert "suggestions" not in document(terminal.run(f"resolve {typed} --json"))["resolutions"][0]


def test_what_is_printed_in_another_way_than_anybody_prints_has_no_suggestion(terminal):
    result = terminal.run("resolve ~~~~~~~~ --suggest")
    assert "No similar code fits" in result.stdout


def test_clues_are_checked_before_anybody_is_asked(terminal):
    for option in ("--language Spanish", "--place Austria"):
        result = terminal.run(f"resolve {CODE_OF_QN} {option}")
        assert result.exit_code == ExitCode.USAGE, option


def test_one_bad_code_among_many_is_counted_out(terminal):
    result = terminal.run_words(["resolve", CODE_OF_QN, "(01)123"])
    assert result.exit_code == ExitCode.DATA
    assert "code 2 of 2" in result.stderr


def test_more_codes_than_a_query_holds_are_refused(terminal):
    result = terminal.run_words(["resolve", *(f"CODE{number}" for number in range(1_001))])
    assert result.exit_code == ExitCode.USAGE
    assert "split" in result.stderr


# --- ask and queries -------------------------------------------------------------------------------------------------


def test_an_answer_as_json_has_the_ten_items(terminal):
    result = terminal.run_words([*ASK, "--items", "a,f", "--json"])
    view = document(result)
    assert (result.exit_code, view["state"], view["query"]["items"]) == (0, "answered", ["a", "f"])
    (answer,) = view["answers"]
    assert (answer["sender"], answer["officer_id"], answer["received"]) == ("qn", None, rfc3339(pki.NOW))
    (code,) = answer["answer"]["results"]
    assert [item["item"] for item in code["items"]] == list("abcdefghij")
    assert code["items"][4] == {
        "item": "e",
        "title": "first customer not affiliated with the manufacturer: name, invoice, order number, payment records",
        "state": "withheld-legal",
        "records": [],
    }


def test_hit_or_no_hit_asks_for_nothing_but_whether_the_code_is_known(terminal):
    query = document(terminal.run_words([*ASK, "--items", "none", "--wait", "0s", "--json"]))["query"]
    assert query["items"] == []


def test_what_the_pack_says_of_its_market_goes_with_the_query_as_it_was_read(terminal):
    said = "Sólo para venta en QO"
    words = terminal.run_words([*ASK, "--market-statement", said, "--wait", "0s"]).stdout
    assert f"Pack says {said}" in words
    query = document(terminal.run_words([*ASK, "--market-statement", said, "--wait", "0s", "--json"]))["query"]
    assert query["market_statement"] == said


def test_a_query_that_waits_says_so_in_json_too(terminal):
    result = terminal.run_words([*ASK, "--to", "qp", "--wait", "0s", "--json"])
    view = document(result)
    assert (result.exit_code, view["state"], view["problem"]) == (ExitCode.LATER, "queued", "unreachable")
    assert view["outgoing"]["attempts"] == 3


def test_a_late_answer_is_waited_for(terminal):
    terminal.run_words([*ASK, "--to", "qo", "--wait", "0s"])
    query = next(iter(terminal.desk.asked_rows.values())).query
    terminal.desk.late = answer_to(query, automation=Automation.MANUAL, at=pki.NOW)
    result = terminal.run(f"queries {ID} --wait 5s")
    assert result.exit_code == 0
    assert "by officer w8r4tz6k" in result.stdout


def test_an_unconfirmed_party_is_asked_with_the_officers_word_alone(terminal):
    terminal.run_words(ASK)
    terminal.run_words([*ASK, "--unconfirmed"])

    assert terminal.desk.consents == [False, True]


def test_a_directory_that_stands_still_is_told_with_the_query(terminal):
    assert not document(terminal.run_words([*ASK, "--json"]))["directory_stale"]
    terminal.desk.stale = True

    assert document(terminal.run_words([*ASK, "--json"]))["directory_stale"]
    assert "has stood still for more than a week" in terminal.run_words(ASK).stdout


def test_whoever_asks_is_told_that_it_waits(terminal):
    submit = terminal.desk.submit_query

    async def submit_and_answer_later(officer, identifier, signature):
        view = await submit(officer, identifier, signature)
        terminal.desk.late = replace(refusing(view.query), final=True)
        return view

    terminal.desk.submit_query = submit_and_answer_later
    result = terminal.run_words([*ASK, "--to", "qo", "--wait", "1s"])
    assert "delivered to Orsenna (qo); waiting up to 1 s for the answer" in result.stderr
    assert "refused: a better justification is needed" in result.stdout
    assert "the answering authority had to ask the industry" in result.stdout
    assert result.exit_code == ExitCode.FINE


def test_a_partial_answer_is_not_the_end(terminal):
    terminal.run_words([*ASK, "--to", "qo", "--wait", "0s"])
    (identifier,) = terminal.desk.asked_rows
    terminal.desk.answer(identifier, refusing(terminal.desk.asked_rows[identifier].query))
    result = terminal.run(f"queries {ID}")
    assert "State     answered in part" in result.stdout
    assert "more will follow" in result.stdout


def test_looking_at_a_query_that_waits_is_no_failure(terminal):
    terminal.run_words([*ASK, "--to", "qp", "--wait", "0s"])
    assert terminal.run(f"queries {ID}").exit_code == 0


def test_codes_in_a_picture_that_nobody_issued_are_passed_over(terminal):
    sheet = Image.new("L", (700, 300), "white")
    sheet.paste(symbol("https://example.org/x"), (20, 20))
    sheet.paste(symbol(CODE_OF_QN), (350, 20))
    picture = terminal.folder / "pack.png"
    picture.write_bytes(file_of(sheet))
    result = terminal.run_words(["ask", "--image", str(picture), *ASK[2:], "--json"])
    assert [code["key"] for code in document(result)["query"]["codes"]] == [CODE_OF_QN]


def test_a_node_that_prepares_something_else_gets_no_signature(terminal):
    terminal.desk.lie = lambda statement, body: (type(statement)(**{**fields(statement), "recipient": "qo"}), body)
    result = terminal.run_words(ASK)
    assert result.exit_code == ExitCode.MISBEHAVIOUR
    assert "nothing was signed or sent" in result.stderr
    assert not terminal.desk.asked_rows


def fields(statement):
    return {name: getattr(statement, name) for name in statement.__slots__}


@pytest.mark.parametrize(
    ("failure", "ending"),
    [
        (Unreachable("the own node could not be reached"), ExitCode.UNAVAILABLE),
        (Overloaded("too many calls"), ExitCode.LATER),
        (Malformed("the reply is garbled"), ExitCode.DATA),
    ],
)
def test_what_the_desk_raises_decides_how_it_ends(terminal, failure, ending):
    terminal.desk.failure = failure
    result = terminal.run("queries")
    assert (result.exit_code, result.stdout) == (ending, "")
    assert result.stderr == f"error: {failure.message}\nhint: {failure.hint}\n"


def test_an_expired_certificate_is_told_before_any_call(terminal):
    terminal.clock.at += 91 * 86_400
    result = terminal.run("queries")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "ask the administrator for a new code" in result.stderr


def test_lists_are_empty_in_words(terminal):
    assert terminal.run("queries").stdout == "Nothing was asked.\n"
    assert terminal.run("inbox").stdout == "Nothing was received.\n"


def test_rows_are_bounded(terminal):
    for _ in range(3):
        terminal.desk.receive()
    assert len(document(terminal.run("inbox --rows 2 --json"))["queries"]) == 2
    assert terminal.run("inbox --rows 201").exit_code == ExitCode.USAGE


def test_what_should_be_known_of_the_other_party_stands_below_its_name(terminal):
    terminal.run_words([*ASK, "--to", "qo", "--wait", "0s"])
    (asked,) = terminal.desk.asked_rows
    terminal.desk.asked_rows[asked] = replace(terminal.desk.asked_rows[asked], peer_standing=frozenset({Standing.UNCONFIRMED}))
    received = terminal.desk.receive()
    terminal.desk.inbox_rows[received] = replace(terminal.desk.inbox_rows[received], peer_standing=frozenset({Standing.PILOT}))

    assert "          which is unconfirmed: too few other Parties" in terminal.run(f"queries {asked.hex()}").stdout
    assert "          which is a pilot: it tries this out" in terminal.run(f"inbox {received.hex()}").stdout
    assert document(terminal.run(f"inbox {received.hex()} --json"))["peer_standing"] == ["pilot"]


# --- answer ----------------------------------------------------------------------------------------------------------


def test_the_draft_is_sent_after_a_yes(terminal):
    terminal.desk.receive()
    result = terminal.run(f"answer {ID} --draft", typed="y\n")
    assert "Sign and send this answer?" in result.stderr
    assert "Answer    to Nerania (qn)" in result.stdout
    (sent,) = terminal.desk.sent
    assert (sent.automation, sent.results[0].outcome) == (Automation.ASSISTED, Outcome.FOUND)


def test_nothing_is_sent_after_a_no(terminal):
    terminal.desk.receive()
    result = terminal.run(f"answer {ID} --draft", typed="n\n")
    assert (result.exit_code, terminal.desk.sent) == (0, [])
    assert "nothing was sent" in result.stderr


def test_nothing_is_sent_when_nobody_answers(terminal):
    terminal.desk.receive()
    result = terminal.run(f"answer {ID} --draft", typed="")
    assert (result.exit_code, terminal.desk.sent) == (ExitCode.INTERRUPTED, [])


def test_the_draft_goes_out_to_a_file_and_comes_back_as_the_answer(terminal):
    terminal.desk.receive()
    draft = document(terminal.run(f"inbox {ID} --json"))["draft"]
    draft["text"] = "Corrected by hand."
    path = terminal.folder / "answer.json"
    path.write_text(json.dumps(draft))
    result = terminal.run(f"answer {ID} --file {path} --yes --json")
    assert (result.exit_code, document(result)["state"]) == (0, "answered")
    (sent,) = terminal.desk.sent
    assert (sent.text, sent.automation, sent.results[0].items[0].item) == ("Corrected by hand.", Automation.MANUAL, Item.A)


def test_a_refusal_is_one_word(terminal):
    terminal.desk.receive("LEQMx7Kd93XzP01", "LEQMx7Kd93XzP02")
    result = terminal.run(f"answer {ID} --refuse ongoing-investigation --handling H3 --interim --industry-consulted --yes")
    (sent,) = terminal.desk.sent
    assert result.stdout.endswith("the query is now: refused\n")
    assert {one.refusal for one in sent.results} == {Refusal.ONGOING_INVESTIGATION}
    assert (sent.handling, sent.final, sent.industry_consulted) == ("H3", False, True)
    check_answers(next(iter(terminal.desk.inbox_rows.values())).query, sent)


def test_a_code_that_was_never_issued_is_said_to_be_so(terminal):
    terminal.desk.receive()
    terminal.run(f"answer {ID} --outcome never-issued --yes")
    assert terminal.desk.sent[0].results[0].outcome is Outcome.NEVER_ISSUED


def test_two_sources_of_one_answer_are_one_too_many(terminal):
    terminal.desk.receive()
    result = terminal.run(f"answer {ID} --draft --refuse language --yes")
    assert (result.exit_code, terminal.desk.sent) == (ExitCode.USAGE, [])
    assert "exclude each other" in result.stderr


def test_json_does_not_ask_for_confirmation(terminal):
    terminal.desk.receive()
    result = terminal.run(f"answer {ID} --draft --json")
    assert (result.exit_code, terminal.desk.sent) == (ExitCode.USAGE, [])
    assert "--yes" in document(result)["error"]["hint"]


def test_an_officer_may_think_before_saying_yes(terminal):
    class Thinking(io.BytesIO):
        def read1(self, size: int = -1) -> bytes:
            terminal.clock.at += 3_600
            return super().read1(size)

    terminal.desk.receive()
    assert terminal.run(f"answer {ID} --draft", typed=Thinking(b"y\n")).exit_code == 0
    assert terminal.clock.at > pki.NOW
    assert len(terminal.desk.sent) == 1


# --- proof -----------------------------------------------------------------------------------------------------------


def test_a_proof_is_written_once_and_for_its_owner_only(terminal):
    terminal.run_words(ASK)
    path = terminal.folder / "case.proof"
    first = terminal.run(f"proof export {ID} -o {path}")
    assert (first.exit_code, path.stat().st_size, stat.S_IMODE(path.stat().st_mode)) == (0, 5_000_000, 0o600)
    assert "whoever has the file can read it" in first.stdout
    again = terminal.run(f"proof export {ID} -o {path} --no-content")
    assert (again.exit_code, path.stat().st_size) == (ExitCode.USAGE, 5_000_000)


def test_a_proof_can_leave_the_content_out(terminal):
    terminal.run_words(ASK)
    path = terminal.folder / "case.proof"
    result = terminal.run(f"proof export {ID} -o {path} --no-content --json")
    assert document(result) == {"id": ID, "file": str(path), "bytes": 5, "content": False, "disclosed": "none"}


def test_a_proof_of_nothing_is_not_written(terminal):
    path = terminal.folder / "case.proof"
    result = terminal.run(f"proof export {ID} -o {path}")
    assert (result.exit_code, path.exists()) == (ExitCode.NOT_FOUND, False)


def test_a_file_that_cannot_be_written_is_told(terminal):
    terminal.run_words(ASK)
    result = terminal.run(f"proof export {ID} -o {terminal.folder}/nowhere/case.proof")
    assert result.exit_code == ExitCode.USAGE
    assert "cannot be written" in result.stderr


def test_a_file_that_is_no_proof_is_refused(terminal):
    path = terminal.folder / "case.proof"
    path.write_bytes(b"no proof at all")
    result = terminal.run(f"proof verify {path} --log-key {'00' * 32} --genesis {'00' * 32}", officer=False)
    assert result.exit_code == ExitCode.DATA


@pytest.mark.parametrize("key", ["", "00", "zz" * 32, "00" * 33])
def test_the_key_and_the_digest_come_from_the_reader(terminal, key):
    path = terminal.folder / "case.proof"
    path.write_bytes(b"")
    words = ["proof", "verify", str(path), "--log-key", key, "--genesis", "00" * 32]
    assert terminal.run_words(words, officer=False).exit_code == ExitCode.USAGE


# --- doctor ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("health", "ending"), [(Health.GOOD, ExitCode.FINE), (Health.WARNING, ExitCode.WARNING), (Health.BAD, ExitCode.BAD)]
)
def test_the_worst_finding_decides(terminal, health, ending):
    terminal.desk.checks = (Check(name="disk", health=health, words="3 % free", hint="make room"),)
    result = terminal.run("doctor")
    assert result.exit_code == ending
    assert ("hint: make room" in result.stdout) is (health is not Health.GOOD)


def test_a_node_that_cannot_be_reached_is_a_finding(terminal):
    terminal.desk.failure = Unreachable("nothing listens at the address of the own node")
    result = terminal.run("doctor --json")
    found = document(result)
    assert (result.exit_code, found["version"]) == (ExitCode.BAD, None)
    assert [check["health"] for check in found["checks"]] == ["good", "bad"]


@pytest.mark.parametrize(("days", "ending", "words"), [(80, ExitCode.WARNING, "ends soon"), (91, ExitCode.BAD, "not valid now")])
def test_a_certificate_that_ends_is_a_finding(terminal, days, ending, words):
    terminal.clock.at += days * 86_400
    result = terminal.run("doctor")
    assert result.exit_code == ending
    assert words in result.stdout
