"""Dates and times in codes: what a text of a form means, and the expression that knows which texts exist in the calendar.

The expressions are written here, never received. They have no repetition but of a known count, so they read each digit a small,
constant number of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from federation.uim import bounds
from federation.uim.check import DIGITS
from federation.uim.segments import DateForm

_FIRST_YEAR: Final = 2000


@dataclass(frozen=True, slots=True)
class DateStamp:
    """A date that was read from a code.

    Attributes:
        text: RFC 3339 as far as the code goes: `2019-05-20T14:00:00Z`, `2019-05-20` or `2019-05`.
        start_s: Unix seconds, UTC, at which that minute, hour, day or month begins.
    """

    text: str
    start_s: int


def _places(form: DateForm) -> dict[str, slice]:
    """Where the year, month, day, hour and minute stand: `D` alone is a day of the month, `DDD` one of the year."""
    letters = {"Y": "year", "M": "month", "D": "day", "h": "hour", "m": "minute"}
    return {word: slice(form.index(letter), form.rindex(letter) + 1) for letter, word in letters.items() if letter in form}


_PLACES: Final = {form: _places(form) for form in DateForm}
_SHOWN_CHARACTERS: Final = {"minute": 19, "hour": 19, "day": 10, "month": 7}
"""How much of `YYYY-MM-DDThh:mm:ss` is known, by the smallest unit in the form."""


@lru_cache(maxsize=bounds.DATES_REMEMBERED_MAX)
def read_date(form: DateForm, text: str) -> DateStamp | None:
    """Read a date; None when it does not exist in the calendar or the text has another length."""
    if len(text) != len(form) or not DIGITS.issuperset(text):
        return None
    parts = {name: int(text[place]) for name, place in _PLACES[form].items()}
    year = parts.pop("year") + (0 if "YYYY" in form else _FIRST_YEAR)
    days = parts.pop("day") if "DDD" in form else None
    try:
        moment = datetime(year, **({"month": 1, "day": 1} | parts), tzinfo=UTC)
        if days is not None:
            moment += timedelta(days=days - 1)
    except (ValueError, OverflowError):
        return None
    if moment.year != year or days == 0:
        return None
    smallest = next(unit for unit in _SHOWN_CHARACTERS if unit in _PLACES[form])
    shown = moment.isoformat()[: _SHOWN_CHARACTERS[smallest]]
    return DateStamp(f"{shown}Z" if "T" in shown else shown, int(moment.timestamp()))


_LEAP: Final = "(?:[02468][048]|[13579][26])"
_YEARS: Final = {"YY": "[0-9]{2}", "YYYY": "(?!0000)[0-9]{4}"}
_LEAP_YEARS: Final = {
    "YY": _LEAP,
    "YYYY": f"(?!0000)(?:[0-9]{{2}}(?:0[48]|[2468][048]|[13579][26])|{_LEAP}00)",
}
_DAYS: Final = {
    "31": ("(?:0[13578]|1[02])", "(?:0[1-9]|[12][0-9]|3[01])"),
    "30": ("(?:0[469]|11)", "(?:0[1-9]|[12][0-9]|30)"),
    "28": ("02", "(?:0[1-9]|1[0-9]|2[0-8])"),
}
_YEAR_DAYS: Final = "(?:00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-5])"


def date_expression(form: DateForm) -> str:
    """An expression for exactly the texts that `read_date` reads."""
    year = "YYYY" if "YYYY" in form else "YY"
    always, leap = _YEARS[year], _LEAP_YEARS[year]
    if "DDD" in form:
        return f"(?:{always}{_YEAR_DAYS}|{leap}366)"
    if "DD" not in form:
        return f"{always}(?:0[1-9]|1[0-2])"
    clock = ("(?:[01][0-9]|2[0-3])" if "hh" in form else "") + ("[0-5][0-9]" if "mm" in form else "")
    if form.startswith("DD"):
        of_year = "|".join(f"{days}{months}" for months, days in _DAYS.values())
        return f"(?:(?:{of_year}){always}|2902{leap})"
    of_year = "|".join(f"{months}{days}" for months, days in _DAYS.values())
    return f"(?:{always}(?:{of_year})|{leap}0229){clock}"
