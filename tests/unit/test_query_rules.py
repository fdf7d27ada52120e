"""Queries, answers and policies as values that cannot be wrong, and the rules between them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation import limits
from federation.errors import DeadlinePassed, FederationError, Forbidden, InvalidInput, Oversized
from federation.identity import PartyId
from federation.query.answer import CodeResult, LastKnown, check_answers
from federation.query.codes import Automation, Outcome, Purpose, Refusal, UimStatus
from federation.query.items import ALL_ITEMS, TITLES, Field, FieldName, Item, ItemAnswer, ItemState, Record, absent, provided
from federation.query.policy import ItemRule, Policy, Rule, check_asking, decide, not_asked
from federation.query.query import CodeAsked
from federation.wire.query import decode_body, encode_answer_body, encode_query_body
from tests.support.crossing import a_query, an_answer

QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")
NOW = 1_800_000_000
NOTHING = tuple(absent(item, ItemState.NOT_HELD) for item in sorted(Item))
LAST_KNOWN = LastKnown(time=NOW, place="Port of Qu", country="QN", event="arrival", planned=False)


# --- queries ---


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"codes": ()}, InvalidInput),
        ({"market_statement": "x" * (limits.MARKET_STATEMENT_CHARACTERS_MAX + 1)}, Oversized),
        ({"market_statement": "two\nlines"}, InvalidInput),
        ({"codes": (CodeAsked(key="QN1", scan="a"), CodeAsked(key="QN1", scan="b"))}, InvalidInput),
        ({"necessity": " \n "}, InvalidInput),
        ({"necessity": "a" * (limits.NECESSITY_CHARACTERS_MAX + 1)}, Oversized),
        ({"necessity": "found\ttoday"}, InvalidInput),
        ({"reference": "a" * (limits.REFERENCE_CHARACTERS_MAX + 1)}, Oversized),
        ({"reference": "17\n2027"}, InvalidInput),
        (
            {"codes": tuple(CodeAsked(key=f"QN{number}", scan="") for number in range(limits.CODES_PER_QUERY_MAX + 1))},
            Oversized,
        ),
    ],
)
def test_a_query_that_cannot_be_asked_is_none(changes, error):
    with pytest.raises(error):
        replace(a_query(), **changes)


def test_an_empty_necessity_names_the_article():
    with pytest.raises(InvalidInput) as refusal:
        replace(a_query(), necessity="")

    assert "Article 8.9(b)" in refusal.value.hint


@pytest.mark.parametrize(
    "words",
    ["\u00ab\u00a0Douanes\u202f\u00bb", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u4e2d\u3000\u6587", "one\ntwo"],
    ids=["French", "Persian", "Chinese", "two lines"],
)
def test_what_an_officer_can_write_arrives(words):
    """A value never holds what the other side's decoder would refuse: that would show only when nobody can mend it."""
    query = replace(a_query(), necessity=words)
    answer = an_answer(query, text=words)

    assert decode_body(encode_query_body(query, certificate=b""))[0] == query
    assert decode_body(encode_answer_body(answer, certificate=b""))[0] == answer


@pytest.mark.parametrize("key", ["", "a" * (limits.KEY_CHARACTERS_MAX + 1), "QN\x1d1"])
def test_a_code_has_a_printable_key(key):
    with pytest.raises(InvalidInput):
        CodeAsked(key=key, scan="")


def test_a_raw_scan_may_hold_separators_and_is_bounded():
    assert CodeAsked(key="QN1", scan="]d20104012345678901\x1d21abc").scan
    with pytest.raises(Oversized):
        CodeAsked(key="QN1", scan="a" * (limits.SCAN_CHARACTERS_MAX + 1))


# --- answers ---


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.FOUND},
        {"outcome": Outcome.FOUND, "items": NOTHING[:9]},
        {"outcome": Outcome.FOUND, "items": NOTHING[::-1]},
        {"outcome": Outcome.FOUND, "items": NOTHING, "refusal": Refusal.LANGUAGE},
        {"outcome": Outcome.REFUSED},
        {"outcome": Outcome.REFUSED, "refusal": Refusal.LANGUAGE, "items": NOTHING},
        {"outcome": Outcome.NEVER_ISSUED, "status": frozenset({UimStatus.STOLEN})},
        {"outcome": Outcome.NOT_OURS, "last_known": LAST_KNOWN},
        {"outcome": Outcome.NEVER_ISSUED, "refusal": Refusal.SYSTEM_DOWN},
    ],
)
def test_a_result_that_contradicts_itself_is_none(changes):
    with pytest.raises(InvalidInput):
        CodeResult(key="QN1", **changes)


def test_an_answer_has_results_and_a_bounded_text():
    with pytest.raises(InvalidInput):
        an_answer(a_query(), results=())
    with pytest.raises(InvalidInput):
        an_answer(a_query(), results=an_answer(a_query()).results * (limits.CODES_PER_QUERY_MAX + 1))
    with pytest.raises(Oversized):
        an_answer(a_query(), text="a" * (limits.TEXT_CHARACTERS_MAX + 1))


def test_an_answer_speaks_of_the_codes_that_were_asked_in_their_order():
    query = a_query("QN1", "QN2")
    answer = an_answer(query)

    check_answers(query, answer)
    for results in (answer.results[:1], answer.results[::-1], answer.results * 2, an_answer(a_query("QN1", "QN3")).results):
        with pytest.raises(InvalidInput, match="not about the codes"):
            check_answers(query, replace(answer, results=results))


def test_an_item_has_records_exactly_when_it_is_provided():
    record = Record(fields=(Field(FieldName.MARKET, "QO"),))

    assert provided(Item.F, record).records == (record,)
    with pytest.raises(InvalidInput):
        provided(Item.F)
    for state in ItemState:
        if state is not ItemState.PROVIDED:
            assert absent(Item.F, state).records == ()
            with pytest.raises(InvalidInput):
                ItemAnswer(item=Item.F, state=state, records=(record,))


def test_fields_are_bounded_in_number_and_length():
    field = Field(FieldName.TEXT, "a")
    with pytest.raises(Oversized):
        provided(Item.H, *[Record(fields=(field, field))] * (limits.VALUES_PER_ITEM_MAX // 2 + 1))
    with pytest.raises(Oversized):
        Field(FieldName.TEXT, "a" * (limits.VALUE_CHARACTERS_MAX + 1))
    for text in ("", "a\nb", "\x1b[2J", "\u202egnp"):
        with pytest.raises(InvalidInput):
            Field(FieldName.TEXT, text)


def test_a_record_gives_its_first_value_of_a_name():
    record = Record(fields=(Field(FieldName.ROUTE, "QN"), Field(FieldName.ROUTE, "QO")))

    assert record.first(FieldName.ROUTE) == "QN"
    assert record.first(FieldName.MARKET) is None


def test_every_item_of_the_article_has_its_title():
    assert list(TITLES) == list(Item)
    assert "".join(Item) == "abcdefghij"


# --- policies ---


def rule(**changes) -> Rule:
    return Rule(**({"automation": Automation.AUTOMATIC} | changes))


def test_without_a_rule_an_officer_decides():
    decision = decide(Policy(), sender=QM, query=a_query())

    assert decision.automation is Automation.MANUAL
    assert decision.withheld == {}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((rule(),), Automation.AUTOMATIC),
        ((rule(parties=frozenset({QM})),), Automation.AUTOMATIC),
        ((rule(parties=frozenset({QO})),), Automation.ASSISTED),
        ((rule(purposes=frozenset({Purpose.INVESTIGATION})),), Automation.AUTOMATIC),
        ((rule(purposes=frozenset({Purpose.DETECTION})),), Automation.ASSISTED),
        ((rule(parties=frozenset({QM}), automation=Automation.MANUAL), rule()), Automation.MANUAL),
        ((rule(parties=frozenset({QO}), automation=Automation.MANUAL), rule()), Automation.AUTOMATIC),
    ],
)
def test_the_first_rule_that_fits_stands_and_the_standard_without_one(rules, expected):
    policy = Policy(standard=Automation.ASSISTED, rules=rules)

    assert decide(policy, sender=QM, query=a_query()).automation is expected


@pytest.mark.parametrize(("codes", "expected"), [(2, Automation.AUTOMATIC), (3, Automation.MANUAL)])
def test_more_codes_than_a_rule_allows_go_to_an_officer(codes, expected):
    query = a_query(*(f"QN{number}" for number in range(codes)))

    assert decide(Policy(rules=(rule(codes_max=2),)), sender=QM, query=query).automation is expected


def test_items_are_withheld_with_the_reason_that_the_rule_gives():
    items = (
        ItemRule(item=Item.E, state=ItemState.WITHHELD_LEGAL),
        ItemRule(item=Item.I, state=ItemState.NEEDS_MUTUAL_LEGAL_ASSISTANCE),
        ItemRule(item=Item.A, state=ItemState.PROVIDED),
    )

    assert decide(Policy(rules=(rule(items=items),)), sender=QM, query=a_query()).withheld == {
        Item.E: ItemState.WITHHELD_LEGAL,
        Item.I: ItemState.NEEDS_MUTUAL_LEGAL_ASSISTANCE,
    }


def test_what_was_not_asked_is_not_given_whatever_the_policy_says():
    query = replace(a_query(), items=frozenset({Item.A}))
    items = (ItemRule(item=Item.E, state=ItemState.WITHHELD_LEGAL),)

    assert not_asked(query) == dict.fromkeys(ALL_ITEMS - {Item.A}, ItemState.NOT_ASKED)
    assert decide(Policy(rules=(rule(items=items),)), sender=QM, query=query).withheld == not_asked(query)


def test_a_decision_depends_on_the_question_alone():
    """No existence oracle: the policy is asked before anything is looked up, and nothing that was looked up is given to it."""
    policy = Policy(rules=(rule(items=(ItemRule(item=Item.E, state=ItemState.WITHHELD_LEGAL),)),))

    assert decide(policy, sender=QM, query=a_query("QN1")) == decide(policy, sender=QM, query=a_query("QN2"))


def test_a_rule_that_contradicts_itself_is_none():
    twice = (ItemRule(item=Item.E, state=ItemState.PROVIDED), ItemRule(item=Item.E, state=ItemState.WITHHELD_LEGAL))
    for changes in ({"items": twice}, {"codes_max": 0}, {"codes_max": limits.CODES_PER_QUERY_MAX + 1}):
        with pytest.raises(InvalidInput):
            rule(**changes)


# --- asking ---


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"recipient": QM}, Forbidden),
        ({"deadline": NOW}, DeadlinePassed),
        ({"deadline": NOW - 1}, DeadlinePassed),
        ({"deadline": NOW + limits.QUERY_DEADLINE_S_MIN - 1}, InvalidInput),
        ({"deadline": NOW + limits.QUERY_DEADLINE_S_MAX + 1}, InvalidInput),
    ],
)
def test_what_may_not_be_asked_is_refused_with_a_reason(changes, error):
    given = {"own": QM, "recipient": QN, "created": NOW, "deadline": NOW + limits.QUERY_DEADLINE_S_DEFAULT}
    check_asking(**given)

    with pytest.raises(error) as refusal:
        check_asking(**(given | changes))
    assert isinstance(refusal.value, FederationError)
    assert refusal.value.hint
