"""From a scan to ranked Parties, to protobuf and back. Strict and total, like the rest of the desk in `desk_wire`."""

from __future__ import annotations

from collections.abc import Iterable

from federation import limits
from federation.identity import party_id
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.codes import KeyForm, Label, Level
from federation.uim.library import Candidate, Fact, Reason, ReasonCode
from federation.uim.pattern import PrintedItem
from federation.uim.scan import Key, Scan
from federation.wire.strict import at_most, text, total
from node import limits as node_limits
from node.rpc.desk_wire import name, standings
from node.use_cases.desk_values import Membership, RankedParty, Resolution
from node.v1 import desk_pb2


@total
def decode_scans(message: desk_pb2.ResolveRequest) -> tuple[str, ...]:
    """What is to be resolved; what a scan may hold is decided by whoever reads it."""
    at_most(len(message.scans), node_limits.DESK_SCANS_PER_CALL_MAX, "scans")
    return tuple(message.scans)


def encode_clues(clues: Clues) -> desk_pb2.Clues:
    return desk_pb2.Clues(brand=clues.brand, language=clues.language, place=clues.place)


@total
def decode_clues(message: desk_pb2.Clues) -> Clues:
    clues = Clues(brand=message.brand, language=message.language, place=message.place)
    return NO_CLUES if clues == NO_CLUES else clues


def encode_resolutions(resolutions: Iterable[Resolution]) -> desk_pb2.ResolveReply:
    return desk_pb2.ResolveReply(resolutions=[encode_resolution(resolution) for resolution in resolutions])


@total
def decode_resolutions(message: desk_pb2.ResolveReply) -> tuple[Resolution, ...]:
    at_most(len(message.resolutions), node_limits.DESK_SCANS_PER_CALL_MAX, "resolutions")
    return tuple(decode_resolution(resolution) for resolution in message.resolutions)


def encode_resolution(resolution: Resolution) -> desk_pb2.Resolution:
    return desk_pb2.Resolution(
        scan=desk_pb2.Scan(
            raw=resolution.scan.raw,
            keys=[_key_message(key) for key in resolution.scan.keys],
            qualifiers=resolution.scan.qualifiers,
        ),
        parties=[
            desk_pb2.RankedParty(
                candidate=_candidate_message(ranked.candidate),
                membership=ranked.membership,
                party_name=ranked.party_name,
                responder=ranked.responder or "",
                responder_name=ranked.responder_name,
                standing=sorted(ranked.standing),
                responder_standing=sorted(ranked.responder_standing),
            )
            for ranked in resolution.parties
        ],
    )


@total
def decode_resolution(message: desk_pb2.Resolution) -> Resolution:
    at_most(len(message.parties), limits.CANDIDATES_MAX, "candidates")
    scan = message.scan
    return Resolution(
        scan=Scan(raw=scan.raw, keys=tuple(_key(key) for key in scan.keys), qualifiers=tuple(scan.qualifiers)),
        parties=tuple(
            RankedParty(
                candidate=_candidate(ranked.candidate),
                membership=Membership(ranked.membership),
                party_name=name(ranked.party_name),
                responder=party_id(ranked.responder) if ranked.responder else None,
                responder_name=name(ranked.responder_name),
                standing=standings(ranked.standing),
                responder_standing=standings(ranked.responder_standing),
            )
            for ranked in message.parties
        ),
    )


def _candidate_message(candidate: Candidate) -> desk_pb2.Candidate:
    return desk_pb2.Candidate(
        party=candidate.party,
        answered_by=candidate.answered_by,
        published_by=candidate.published_by,
        pattern_id=candidate.pattern_id,
        label=candidate.label,
        key=_key_message(candidate.key),
        level=candidate.level or "",
        names_issuer=candidate.names_issuer,
        score=candidate.score,
        reasons=[desk_pb2.Reason(code=reason.code, points=reason.points, words=reason.words) for reason in candidate.reasons],
        facts=[desk_pb2.Fact(item=fact.item, name=fact.name, value=fact.value) for fact in candidate.facts],
    )


def _candidate(message: desk_pb2.Candidate) -> Candidate:
    words = limits.VALUE_CHARACTERS_MAX
    return Candidate(
        party=party_id(message.party),
        answered_by=party_id(message.answered_by),
        published_by=party_id(message.published_by),
        pattern_id=name(message.pattern_id),
        label=Label(message.label),
        key=_key(message.key),
        level=Level(message.level) if message.level else None,
        names_issuer=message.names_issuer,
        score=message.score,
        reasons=tuple(
            Reason(code=ReasonCode(reason.code), points=reason.points, words=text(reason.words, words, "a reason"))
            for reason in message.reasons
        ),
        facts=tuple(
            Fact(item=PrintedItem(fact.item), name=name(fact.name), value=text(fact.value, words, "a fact"))
            for fact in message.facts
        ),
    )


def _key_message(key: Key) -> desk_pb2.Key:
    return desk_pb2.Key(text=key.text, form=key.form)


def _key(message: desk_pb2.Key) -> Key:
    return Key(message.text, KeyForm(message.form))
