"""The reply to a query, code by code and item by item, as a value that cannot be wrong in itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from federation import limits
from federation.envelope.attachment import Attachment, check_attached
from federation.errors import InvalidInput
from federation.query.codes import Automation, HandlingCode, Outcome, Refusal, UimStatus
from federation.query.items import ALL_ITEMS, Field, FieldName, ItemAnswer, Record
from federation.query.query import Query
from federation.text import check_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """Where the code was last reported.

    Attributes:
        time: Unix seconds.
        country: ISO 3166-1 alpha-2 in capitals, or empty.
        planned: announced and not confirmed.
    """

    time: int
    place: str
    country: str
    event: str
    planned: bool

    def __post_init__(self) -> None:
        check_plain(self.place, "the place of the last report", characters_max=limits.VALUE_CHARACTERS_MAX)
        check_plain(self.country, "the country of the last report", characters_max=2)
        check_plain(self.event, "the event of the last report", characters_max=limits.VALUE_CHARACTERS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeResult:
    """What is said of one code.

    Attributes:
        refusal: there exactly when the outcome is `refused`.
        complete_as_of: Unix seconds up to which reports had come in; None when nothing is said of the code.
        items: all ten, in order, when the outcome is `found`; none otherwise.
    """

    key: str
    outcome: Outcome
    refusal: Refusal | None = None
    status: frozenset[UimStatus] = frozenset()
    last_known: LastKnown | None = None
    complete_as_of: int | None = None
    items: tuple[ItemAnswer, ...] = ()

    def __post_init__(self) -> None:
        check_plain(self.key, "a code", characters_max=limits.KEY_CHARACTERS_MAX)
        if (self.outcome is Outcome.REFUSED) != (self.refusal is not None):
            raise InvalidInput("a refusal carries its reason, and nothing else does")
        letters = [answer.item for answer in self.items]
        if letters != (sorted(ALL_ITEMS) if self.outcome is Outcome.FOUND else []):
            raise InvalidInput("a found code has the ten items in order, and the others have none")
        if self.outcome is not Outcome.FOUND and (self.status or self.last_known):
            raise InvalidInput("only a found code has a status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one Party says to one query.

    Attributes:
        automation: how it came about.
        final: more may follow when it is not.
        text: an officer's words, or empty.
        industry_consulted: the answering authority had to ask the industry: Articles 8.12 and 8.13 want it said.
        attachments: files that go with it; an officer's alone.
    """

    results: tuple[CodeResult, ...]
    automation: Automation
    final: bool
    handling: HandlingCode
    text: str
    industry_consulted: bool
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.results) <= limits.CODES_PER_QUERY_MAX:
            raise InvalidInput("an answer has a result for each code of its query")
        check_plain(self.text, "the text", characters_max=limits.TEXT_CHARACTERS_MAX, lines=True)
        check_attached(self.attachments)
        if self.attachments and self.automation is Automation.AUTOMATIC:
            raise InvalidInput("a policy attaches no files")


def shortened(answer: Answer, *, records_max: int) -> Answer:
    """The same answer with the latest records of each item, at most so many, and before them how many were left out.

    Args:
        answer: made from the own data, where a record of omissions, if there is one, is an item's first.
        records_max: 0 leaves nothing but the numbers; the codes can be asked about again, fewer at once.
    """
    return replace(
        answer,
        results=tuple(
            replace(result, items=tuple(_shortened(item, records_max) for item in result.items)) for result in answer.results
        ),
    )


def _shortened(item: ItemAnswer, records_max: int) -> ItemAnswer:
    before = item.records[0].first(FieldName.OMITTED) if item.records else None
    told = item.records if before is None else item.records[1:]
    if len(told) <= records_max:
        return item
    left_out = len(told) - records_max
    number = Field(FieldName.OMITTED, str(left_out + int(before or 0)))
    return replace(item, records=(Record(fields=(number,)), *told[left_out:]))


def check_answers(query: Query, answer: Answer) -> None:
    """See that the answer speaks of the codes that were asked, in their order, and of no others.

    Raises:
        InvalidInput: it does not.
    """
    if tuple(code.key for code in query.codes) != tuple(result.key for result in answer.results):
        raise InvalidInput("the answer is not about the codes that were asked")
