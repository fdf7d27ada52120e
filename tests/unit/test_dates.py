"""Dates in codes: the calendar decides, for the reader and for the expression alike."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.uim.dates import date_expression, read_date
from federation.uim.segments import DateForm


@pytest.mark.parametrize(
    ("form", "text", "shown"),
    [
        (DateForm.YYMMDDHH, "19052014", "2019-05-20T14:00:00Z"),
        (DateForm.YYMMDDHHMM, "1905201437", "2019-05-20T14:37:00Z"),
        (DateForm.YYYYMMDDHH, "2019052014", "2019-05-20T14:00:00Z"),
        (DateForm.YYYYMMDDHHMM, "201905201437", "2019-05-20T14:37:00Z"),
        (DateForm.YYMMDD, "240229", "2024-02-29"),
        (DateForm.YYYYMMDD, "20240229", "2024-02-29"),
        (DateForm.DDMMYY, "290224", "2024-02-29"),
        (DateForm.DDMMYYYY, "29022024", "2024-02-29"),
        (DateForm.YYMM, "2402", "2024-02"),
        (DateForm.YYDDD, "24366", "2024-12-31"),
        (DateForm.YYYYDDD, "2024060", "2024-02-29"),
    ],
)
def test_a_date_is_shown_as_far_as_the_code_goes(form, text, shown):
    stamp = read_date(form, text)

    assert stamp.text == shown
    assert datetime.fromtimestamp(stamp.start_s, UTC).isoformat().startswith(shown.rstrip("Z"))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (DateForm.YYMMDD, "230229"), (DateForm.YYMMDD, "231301"), (DateForm.YYMMDD, "230431"), (DateForm.YYMMDD, "230100"),
        (DateForm.YYYYMMDD, "19000229"), (DateForm.YYYYMMDD, "00000101"), (DateForm.YYDDD, "23366"), (DateForm.YYDDD, "24000"),
        (DateForm.YYDDD, "24367"), (DateForm.YYYYDDD, "9999366"), (DateForm.YYMMDDHH, "19052024"), (DateForm.YYMM, "1913"),
        (DateForm.YYMMDDHHMM, "1905201460"), (DateForm.YYMMDD, "19052"), (DateForm.YYMMDD, "1905\u0662\u0660"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_calendar_is_no_date(form, text):
    assert read_date(form, text) is None
    assert not re.fullmatch(date_expression(form), text)


@pytest.mark.parametrize("form", [DateForm.YYMMDD, DateForm.DDMMYY, DateForm.YYDDD, DateForm.YYMM])
def test_the_expression_knows_every_day_of_a_century_and_no_other(form):
    first = date(2000, 1, 1)
    written = {"Y": "%y", "M": "%m", "D": "%d"}
    style = "%y%j" if form is DateForm.YYDDD else "".join(written[letter] for letter in dict.fromkeys(form))
    there = {(first + timedelta(days=number)).strftime(style) for number in range(36_525)}
    known = re.compile(date_expression(form)).fullmatch
    every = (str(number).zfill(len(form)) for number in range(10 ** len(form)))

    assert {text for text in every if known(text)} == there


@given(st.sampled_from(DateForm), st.data())
def test_the_reader_and_the_expression_agree(form, data):
    text = data.draw(st.text("0123456789", min_size=len(form), max_size=len(form)))

    assert (read_date(form, text) is not None) == bool(re.fullmatch(date_expression(form), text))
