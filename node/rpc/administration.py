"""The officers' administration over gRPC, both sides. Every call is signed by an officer, like the calls of the desk.

What is allowed and what happens stands behind `node.use_cases.administration`; values become messages in `administration_wire`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from google.protobuf.message import Message

from federation import limits
from federation.trust.entries import Authority
from node.rpc import administration_wire as wire
from node.rpc.calls import Method, Routes
from node.rpc.officer import Caller, OfficerGate
from node.rpc.officer_enrolment import decode_enrolled, encode_enrolled
from node.rpc.signed import SignedLine, admitted
from node.use_cases.administration import Administration
from node.use_cases.administration_values import InvitationWanted, OfficerLine, ProposalLine, Reply
from node.use_cases.officer_enrolment import Enrolled, OfficerEnrolment
from node.use_cases.officers import Use
from node.use_cases.rights import Grant, Right
from node.v1 import administration_pb2 as pb

RequestType = TypeVar("RequestType", bound=Message)
ReplyType = TypeVar("ReplyType", bound=Message)


def _method(name: str, request: type[RequestType], reply: type[ReplyType]) -> Method[RequestType, ReplyType]:
    return Method(path=f"/node.v1.Administration/{name}", request=request, reply=reply)


INVITE: Final = _method("Invite", pb.InviteRequest, pb.Outcome)
REENROL: Final = _method("Reenrol", pb.OfficerRequest, pb.Outcome)
GRANT: Final = _method("Grant", pb.GrantRequest, pb.Outcome)
WITHDRAW_RIGHT: Final = _method("WithdrawRight", pb.WithdrawRightRequest, pb.Done)
WITHDRAW_OFFICER: Final = _method("WithdrawOfficer", pb.OfficerRequest, pb.Done)
OFFICERS: Final = _method("Officers", pb.OfficersRequest, pb.OfficersReply)
OFFICER: Final = _method("Officer", pb.OfficerRequest, pb.OfficerView)
PROPOSALS: Final = _method("Proposals", pb.ProposalsRequest, pb.ProposalsReply)
DECIDE: Final = _method("Decide", pb.DecideRequest, pb.Outcome)
USED: Final = _method("Used", pb.UsedRequest, pb.UsedReply)
RENEW: Final = _method("Renew", pb.RenewRequest, pb.EnrolOfficerReply)


class AdministrationServicer:
    """Lets officers in through the gate; decodes, calls the use case, encodes.

    Args:
        ca_key_sha256: of the Party CA of this moment, for codes.
    """

    def __init__(
        self,
        administration: Administration,
        enrolment: OfficerEnrolment,
        gate: OfficerGate,
        *,
        ca_key_sha256: Callable[[], bytes],
    ) -> None:
        self._administration = administration
        self._enrolment = enrolment
        self._gate = gate
        self._ca_key_sha256 = ca_key_sha256

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                admitted(self._gate, INVITE, self._invite),
                admitted(self._gate, REENROL, self._reenrol),
                admitted(self._gate, GRANT, self._grant),
                admitted(self._gate, WITHDRAW_RIGHT, self._withdraw_right),
                admitted(self._gate, WITHDRAW_OFFICER, self._withdraw_officer),
                admitted(self._gate, OFFICERS, self._officers),
                admitted(self._gate, OFFICER, self._officer),
                admitted(self._gate, PROPOSALS, self._proposals),
                admitted(self._gate, DECIDE, self._decide),
                admitted(self._gate, USED, self._used),
                admitted(self._gate, RENEW, self._renew),
            )
        )

    async def _invite(self, caller: Caller, request: pb.InviteRequest) -> pb.Outcome:
        wanted = wire.decode_invitation(request)
        outcome = await self._administration.invite(
            caller.officer, name=wanted.name, authority=wanted.authority, life_s=wanted.life_s, grants=wanted.grants
        )
        return wire.encode_outcome(outcome, ca_key_sha256=self._ca_key_sha256())

    async def _reenrol(self, caller: Caller, request: pb.OfficerRequest) -> pb.Outcome:
        outcome = await self._administration.reenrol(caller.officer, wire.identifier(request.officer_id))
        return wire.encode_outcome(outcome, ca_key_sha256=self._ca_key_sha256())

    async def _grant(self, caller: Caller, request: pb.GrantRequest) -> pb.Outcome:
        officer_id, grants = wire.identifier(request.officer_id), wire.decode_grants(request.grants)
        return wire.encode_outcome(await self._administration.grant(caller.officer, officer_id, grants), ca_key_sha256=b"")

    async def _withdraw_right(self, caller: Caller, request: pb.WithdrawRightRequest) -> pb.Done:
        officer_id, right, authority = wire.decode_right(request)
        await self._administration.withdraw_right(caller.officer, officer_id, right, authority)
        return pb.Done()

    async def _withdraw_officer(self, caller: Caller, request: pb.OfficerRequest) -> pb.Done:
        await self._administration.withdraw_officer(caller.officer, wire.identifier(request.officer_id))
        return pb.Done()

    async def _officers(self, caller: Caller, request: pb.OfficersRequest) -> pb.OfficersReply:
        page = await self._administration.officers(caller.officer, after=wire.identifier(request.after))
        return pb.OfficersReply(officers=[wire.encode_officer(one) for one in page])

    async def _officer(self, caller: Caller, request: pb.OfficerRequest) -> pb.OfficerView:
        return wire.encode_officer(await self._administration.officer(caller.officer, wire.identifier(request.officer_id)))

    async def _proposals(self, caller: Caller, _request: pb.ProposalsRequest) -> pb.ProposalsReply:
        return wire.encode_proposals(await self._administration.proposals(caller.officer))

    async def _decide(self, caller: Caller, request: pb.DecideRequest) -> pb.Outcome:
        proposal_id = wire.identifier(request.proposal_id)
        outcome = await self._administration.decide(caller.officer, proposal_id, approve=request.approve)
        return wire.encode_outcome(outcome, ca_key_sha256=self._ca_key_sha256())

    async def _used(self, caller: Caller, request: pb.UsedRequest) -> pb.UsedReply:
        before, rows, officer_id = wire.decode_page(request)
        return wire.encode_uses(await self._administration.used(caller.officer, before=before, rows=rows, officer_id=officer_id))

    async def _renew(self, caller: Caller, _request: pb.RenewRequest) -> pb.EnrolOfficerReply:
        return encode_enrolled(await self._enrolment.renew(caller.officer, caller.certificate))


class AdministrationClient(SignedLine):
    """The officers' administration of the own node, for one officer and for the length of a block."""

    async def invite(self, wanted: InvitationWanted) -> Reply:
        return wire.decode_outcome(await self.call(INVITE, wire.encode_invitation(wanted)))

    async def reenrol(self, officer_id: str) -> Reply:
        return wire.decode_outcome(await self.call(REENROL, pb.OfficerRequest(officer_id=officer_id)))

    async def grant(self, officer_id: str, grants: Sequence[Grant]) -> Reply:
        request = pb.GrantRequest(officer_id=officer_id, grants=wire.encode_grants(grants))
        return wire.decode_outcome(await self.call(GRANT, request))

    async def withdraw_right(self, officer_id: str, right: Right, authority: Authority | None) -> None:
        request = pb.WithdrawRightRequest(
            officer_id=officer_id,
            right=right,
            authority=wire.encode_authority(authority) if authority is not None else None,
        )
        await self.call(WITHDRAW_RIGHT, request)

    async def withdraw_officer(self, officer_id: str) -> None:
        await self.call(WITHDRAW_OFFICER, pb.OfficerRequest(officer_id=officer_id))

    async def officers(self) -> tuple[OfficerLine, ...]:
        """All of them, in as many calls as it takes."""
        found: list[OfficerLine] = []
        while True:
            after = found[-1].officer_id if found else ""
            page = wire.decode_officers(await self.call(OFFICERS, pb.OfficersRequest(after=after)))
            found += page
            if len(page) < limits.PAGE_ROWS_MAX:
                return tuple(found)

    async def officer(self, officer_id: str) -> OfficerLine:
        return wire.decode_officer(await self.call(OFFICER, pb.OfficerRequest(officer_id=officer_id)))

    async def proposals(self) -> tuple[ProposalLine, ...]:
        return wire.decode_proposals(await self.call(PROPOSALS, pb.ProposalsRequest()))

    async def decide(self, proposal_id: str, *, approve: bool) -> Reply:
        return wire.decode_outcome(await self.call(DECIDE, pb.DecideRequest(proposal_id=proposal_id, approve=approve)))

    async def used(self, *, before: int = limits.TIME_S_MAX, rows: int, officer_id: str = "") -> tuple[Use, ...]:
        request = pb.UsedRequest(before=before, rows=rows, officer_id=officer_id)
        return wire.decode_uses(await self.call(USED, request))

    async def renew(self) -> Enrolled:
        return decode_enrolled(await self.call(RENEW, pb.RenewRequest()))
