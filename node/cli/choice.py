"""Whom to ask: from resolved codes to one Party and the spellings it is asked for.

A code that several Parties may have issued is never sent to the first of them by itself: a wrong guess tells a Party about
somebody else's case. Then the officer chooses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from federation.errors import InvalidInput, NotFound, UnknownParty
from federation.identity import PartyId
from federation.query.query import CodeAsked
from node.cli.words import party, standing_lines
from node.use_cases.desk_values import Membership, RankedParty, Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One Party, and the codes it is asked for.

    Attributes:
        notes: what the officer should know of the Party, in words.
    """

    recipient: PartyId
    codes: tuple[CodeAsked, ...]
    notes: tuple[str, ...] = ()


def choose(resolutions: Sequence[Resolution], to: PartyId | None) -> Choice:
    """Find the one Party that all codes are asked from.

    Args:
        resolutions: of all codes.
        to: the Party that the officer chose; None leaves it to the patterns.

    Raises:
        InvalidInput: it is not clear, or it is the own Party, or there are several.
        NotFound: no pattern knows a code.
        UnknownParty: the issuer cannot be asked.
    """
    asked = [_addressed(resolution, to) if to is not None else _sure(resolution) for resolution in resolutions]
    recipients = Counter(recipient for recipient, _ in asked)
    if len(recipients) > 1:
        each = ", ".join(f"{count} of {recipient}" for recipient, count in sorted(recipients.items()))
        raise InvalidInput(f"the codes belong to several Parties: {each}", hint="ask each Party for its own codes")
    codes = {code.key: code for _, code in asked}
    recipient = asked[0][0]
    ranked = (one for resolution in resolutions for one in resolution.parties if one.responder == recipient)
    notes = dict.fromkeys(line for one in ranked for line in standing_lines(one))
    return Choice(recipient=recipient, codes=tuple(codes.values()), notes=tuple(notes))


def _addressed(resolution: Resolution, to: PartyId) -> tuple[PartyId, CodeAsked]:
    """For a Party that the officer named, with the spelling that its own pattern gives, if it has one."""
    for ranked in resolution.parties:
        if to in {ranked.candidate.party, ranked.candidate.answered_by, ranked.responder}:
            return _responder(ranked), _code(resolution, ranked)
    return to, CodeAsked(key=resolution.scan.keys[0].text, scan=resolution.scan.raw)


def _sure(resolution: Resolution) -> tuple[PartyId, CodeAsked]:
    """For the one Party that issued the code, when the patterns leave no doubt."""
    if not resolution.parties:
        raise NotFound("no pattern knows the code", hint="choose the Party with --to, if the pack tells which it is")
    first = resolution.parties[0]
    issuers = {ranked.responder for ranked in resolution.parties if ranked.candidate.names_issuer}
    everybody = {ranked.responder for ranked in resolution.parties}
    if {first.responder} not in (issuers, everybody):
        names = list(dict.fromkeys(party(ranked.candidate.party, ranked.party_name) for ranked in resolution.parties))
        raise InvalidInput(
            f"several Parties may have issued the code: {', '.join(names)}",
            hint="choose one with --to; `gsp resolve` shows the reasons for each",
        )
    return _responder(first), _code(resolution, first)


def _responder(ranked: RankedParty) -> PartyId:
    name = party(ranked.candidate.party, ranked.party_name)
    if ranked.membership is Membership.OWN:
        raise InvalidInput(f"the code seems to be one of {name}, your own Party", hint="look it up in your own system")
    if ranked.responder is None and ranked.membership is Membership.NO_NODE:
        raise UnknownParty(f"nobody answers for {name} yet", hint="write to its contact point, which the directory lists")
    if ranked.responder is None:
        raise UnknownParty(f"the code seems to be one of {name}, which is not a Party")
    return ranked.responder


def _code(resolution: Resolution, ranked: RankedParty) -> CodeAsked:
    return CodeAsked(key=ranked.candidate.key.text, scan=resolution.scan.raw)
