"""The Party's own knowledge: which codes are its own, and what its traceability data say of them.

Which codes are ours is decided by patterns and never by look-up, so "not ours" and "never issued" are different things: the second
is a statement of the Party whose code it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from federation import limits
from federation.errors import InvalidScan
from federation.identity import PartyId
from federation.query.answer import Answer, CodeResult, LastKnown, shortened
from federation.query.codes import Automation, HandlingCode, Outcome, Refusal
from federation.query.items import ALL_ITEMS, Item, ItemAnswer, ItemState, absent
from federation.query.policy import Decision
from federation.query.query import CodeAsked, Query
from federation.uim.library import Library
from federation.uim.pattern import PatternSet
from federation.uim.scan import read_scan
from federation.wire.query import ANSWER_BYTES_MAX, answer_bytes, surely_fits
from node.trace.finder import find
from node.trace.model import Finding
from node.trace.ports import TraceStore


class Repository:
    """Answers from the own data.

    Args:
        trace: the Party's traceability data.
        sets: the pattern sets of the Parties that this node answers for, the own one included.
    """

    def __init__(self, trace: TraceStore, sets: Sequence[PatternSet]) -> None:
        self._trace = trace
        self._library = Library.build(())
        self._own: frozenset[PartyId] = frozenset()
        self.know(sets)

    def know(self, sets: Sequence[PatternSet]) -> None:
        """Tell own codes by these sets from now on."""
        self._library = self._library.rebuilt(sets)
        self._own = frozenset(one.party for one in sets)

    def is_ours(self, key: str, *, now: float) -> bool:
        """Whether a pattern that names this Party, or one it answers for, as the issuer fits the key."""
        try:
            candidates = self._library.resolve(read_scan(key), now=now)
        except InvalidScan:
            return False
        return any(one.names_issuer and one.party in self._own for one in candidates)

    async def answer(self, query: Query, decision: Decision, *, now: int) -> Answer:
        """What the data say, as the decision allows it. Nothing withheld was looked at to decide that it is withheld.

        Raises:
            StoreUnavailable: the data cannot be read at this moment.
        """
        wanted = ALL_ITEMS - decision.withheld.keys()
        findings = await find(self._trace, [code.key for code in query.codes], now=now, wanted=wanted)
        complete = None not in findings or await self._is_complete()
        results = tuple(
            self._miss(code, now=now, complete=complete) if finding is None else _found(code, finding, decision)
            for code, finding in zip(query.codes, findings, strict=True)
        )
        return _fitting(
            Answer(
                results=results,
                automation=decision.automation,
                final=True,
                handling=query.handling,
                text="",
                industry_consulted=False,
            )
        )

    async def _is_complete(self) -> bool:
        """Whether this Party has said up to when its data are complete; before, a code that is not in them says nothing."""
        return (await self._trace.gather(())).coverage.complete_as_of is not None

    def _miss(self, code: CodeAsked, *, now: int, complete: bool) -> CodeResult:
        if not self.is_ours(code.key, now=now):
            return CodeResult(key=code.key, outcome=Outcome.NOT_OURS)
        if not complete:
            return CodeResult(key=code.key, outcome=Outcome.REFUSED, refusal=Refusal.SYSTEM_DOWN)
        return CodeResult(key=code.key, outcome=Outcome.NEVER_ISSUED)


def _found(code: CodeAsked, finding: Finding, decision: Decision) -> CodeResult:
    """Where nothing but "is it known" is asked, or nothing else may be told, the code's state is not told either."""
    return CodeResult(
        key=code.key,
        outcome=Outcome.FOUND,
        status=finding.status if decision.withheld.keys() < ALL_ITEMS else frozenset(),
        last_known=_last_known(finding) if Item.H not in decision.withheld else None,
        complete_as_of=finding.complete_as_of,
        items=tuple(_withheld(one, decision.withheld) for one in finding.items),
    )


def _fitting(answer: Answer) -> Answer:
    """The answer as one envelope carries it: where many codes have long histories, the earliest records are counted, not told."""
    if surely_fits(answer, ANSWER_BYTES_MAX):
        return answer
    records_max = limits.VALUES_PER_ITEM_MAX
    while answer_bytes(answer) > ANSWER_BYTES_MAX and records_max > 0:
        records_max //= 2
        answer = shortened(answer, records_max=records_max)
    return answer


def _last_known(finding: Finding) -> LastKnown | None:
    known = finding.last_known
    if known is None:
        return None
    return LastKnown(
        time=known.event_time, place=known.place or "", country=known.country or "", event=known.event, planned=False
    )


def _withheld(item: ItemAnswer, withheld: dict[Item, ItemState]) -> ItemAnswer:
    reason = withheld.get(item.item)
    return item if reason is None else absent(item.item, reason)


def refusal(query: Query, reason: Refusal, *, text: str) -> Answer:
    """An officer's answer that says nothing of the codes, with the reason (Article 8.9(c) asks for one)."""
    return Answer(
        results=tuple(CodeResult(key=code.key, outcome=Outcome.REFUSED, refusal=reason) for code in query.codes),
        automation=Automation.MANUAL,
        final=True,
        handling=HandlingCode.H2,
        text=text,
        industry_consulted=False,
    )


def as_draft(answer: Answer, automation: Automation) -> Answer:
    """An answer prepared for an officer: what it says is the officer's from then on."""
    return replace(answer, automation=Automation.MANUAL if automation is Automation.MANUAL else Automation.ASSISTED)
