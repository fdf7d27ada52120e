"""An exported search as a file: what the node signed over it, and that nothing can be taken out, added or changed."""

from __future__ import annotations

import csv
import json
from dataclasses import fields, replace
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.errors import FederationError, Malformed, Unauthentic
from federation.trust.keys import SoftwareSigner
from node.formats.audit_files import Form, check_audit_file, head, render, tail
from node.use_cases.audit_values import AuditRow, Closing, Search, chained, parse_closing, read_closing, sign_closing

SIGNER = SoftwareSigner(b"s" * 32)
NODE = "n1.qm.nodes.gsp.example.org"
NASTY = ("=1+1", "+1", "-1", "@SUM(A1)", "'quoted", "'=1", 'say "no"', "a,b", "é ü 字", "\N{EM DASH} x", " ", "x" * 60)


def row(number: int, **changes) -> AuditRow:
    made = AuditRow(
        position=number,
        at=1_800_000_000 + number,
        kind="sent",
        peer="qn",
        message_id="ab" * 16,
        query_id="ab" * 16,
        direction="asked",
        officer_id="o-1",
        state="answered",
        reference="case 7",
        codes=2,
        digest="cd" * 32,
    )
    return replace(made, **changes)


def closing(rows: list[AuditRow], **changes) -> Closing:
    made = Closing(
        node=NODE,
        officer_id="o-2",
        began=1_800_000_500,
        search=Search(peer="qn", reference="case 7", code="QN 1"),
        rows=len(rows),
        digest=chained(bytes(32), rows),
        erased=0,
        next=-1,
        journal=f"{NODE}/journal",
        size=900,
        root=b"r" * 32,
    )
    return replace(made, **changes)


def file(form: Form, rows: list[AuditRow], **changes) -> bytes:
    return (head(form) + render(form, rows) + tail(form, sign_closing(closing(rows, **changes), SIGNER))).encode()


def check(raw: bytes):
    return check_audit_file(raw, public_key=SIGNER.public_key)


every_form = pytest.mark.parametrize("form", Form)
ROWS = [
    row(9),
    row(8, reference="", officer_id=""),
    row(3, kind="epoch", direction="", state="", message_id="", query_id="", codes=0),
]


@every_form
def test_a_file_comes_back_as_it_was_signed(form):
    checked = check(file(form, ROWS))

    assert (checked.form, list(checked.rows), checked.closing) == (form, ROWS, closing(ROWS))


@every_form
def test_a_search_that_found_nothing_has_a_closing_line_too(form):
    assert check(file(form, [])).rows == ()


@every_form
@pytest.mark.parametrize("words", NASTY)
def test_any_words_come_back(form, words):
    rows = [row(1, reference=words, note=words, officer_id=words)]

    assert list(check(file(form, rows)).rows) == rows


def test_no_cell_is_a_formula():
    rows = [row(number, reference=words, note=words) for number, words in enumerate(NASTY)]
    for cells in csv.reader(StringIO(file(Form.CSV, rows).decode(), newline="")):
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_line_is_one_document():
    *lines, last = file(Form.NDJSON, ROWS).decode().splitlines()

    assert [json.loads(line)["position"] for line in lines] == [9, 8, 3]
    assert json.loads(last)["closing"].startswith("gsp-audit/1\nnode n1.qm")


@every_form
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_row_that_somebody_took_out_is_missed(form, missing):
    signed = tail(form, sign_closing(closing(ROWS), SIGNER))
    fewer = [one for number, one in enumerate(ROWS) if number != missing]

    with pytest.raises(Unauthentic, match="the file has 2 rows, and the node signed 3"):
        check((head(form) + render(form, fewer) + signed).encode())


@every_form
def test_rows_that_changed_places_or_contents_are_refused(form):
    signed = tail(form, sign_closing(closing(ROWS), SIGNER))
    for other in ([ROWS[1], ROWS[0], ROWS[2]], [ROWS[0], ROWS[0], ROWS[2]], [replace(ROWS[0], state="expired"), *ROWS[1:]]):
        with pytest.raises(Unauthentic, match="not those that the node signed"):
            check((head(form) + render(form, other) + signed).encode())


@every_form
def test_a_file_without_its_closing_line_is_none(form):
    raw = (head(form) + render(form, ROWS)).encode()
    for cut in (raw, raw[:-5], b"", head(form).encode()):
        with pytest.raises(Malformed):
            check(cut)


@every_form
def test_what_stands_beside_the_rows_is_refused(form):
    raw = file(form, ROWS)
    for other in (raw + b"\n", raw.replace(b"answered", b"answered ", 1), b"\xef\xbb\xbf" + raw):
        with pytest.raises(FederationError):
            check(other)


def test_another_spelling_of_the_same_rows_is_refused():
    with pytest.raises(Malformed, match="beside what was signed"):
        check(file(Form.NDJSON, ROWS).replace(b'"position": 9', b'"position":9'))


def test_another_nodes_key_is_refused():
    with pytest.raises(Unauthentic):
        check_audit_file(file(Form.CSV, ROWS), public_key=SoftwareSigner(b"t" * 32).public_key)


def test_a_closing_line_of_another_node_is_refused():
    with pytest.raises(Unauthentic):
        read_closing(sign_closing(closing(ROWS), SIGNER), node="n1.qo.nodes.gsp.example.org", public_key=SIGNER.public_key)


@every_form
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_refused(form, data):
    raw = file(form, ROWS)
    place, other = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 255))
    if raw[place] != other:
        with pytest.raises(FederationError):
            check(raw[:place] + bytes([other]) + raw[place + 1 :])


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_our_error(raw):
    with pytest.raises(FederationError):
        check(raw)
    with pytest.raises(Malformed):
        parse_closing(raw)


def test_every_field_of_a_search_stands_in_the_closing_line():
    searched = Search(since=1, until=2, peer="qn", officer_id="o 1", state="answered", reference="r ", code="c", kind="sent")
    made = closing(ROWS, search=searched, next=7, erased=3)

    assert parse_closing(made.text()) == made
    assert not made.is_complete
    assert all(getattr(searched, field.name) not in {"", 0} for field in fields(Search))


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": 2, "until": 1},
        {"until": limits.TIME_S_MAX + 1},
        {"peer": "Q1"},
        {"state": "lost"},
        {"kind": "whispered"},
        {"reference": "a\nb"},
        {"code": "x" * (limits.SCAN_CHARACTERS_MAX + 1)},
    ],
)
def test_a_search_for_what_cannot_be_is_refused(wrong):
    with pytest.raises(FederationError):
        Search(**wrong)


def test_the_record_of_use_names_no_code_and_no_reference():
    words = Search(peer="qn", reference="case 7", code="QN123").words(lambda value: f"<{len(value)}>")

    assert words == f"0 to {limits.TIME_S_MAX}, peer qn, reference <6>, code <5>"
