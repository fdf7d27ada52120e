"""From an administrator's word to the refusal of an officer who is connected: two signed calls, a commit, and what they decide."""

from __future__ import annotations

import os
import statistics
import time

from benchmarks.federation import CUSTOMS, Bench
from federation.errors import Forbidden
from federation.trust.desk_code import DeskCode
from federation.trust.keys import SoftwareSigner
from node.clock import SystemClock
from node.rpc.administration import AdministrationClient
from node.rpc.desk import DeskClient
from node.rpc.officer import OfficerKey
from node.rpc.officer_enrolment import greeting
from node.use_cases.administration_values import InvitationWanted
from node.use_cases.rights import Grant, Right

ROUNDS = 100
AUDIT = Grant(right=Right.AUDIT, authority=CUSTOMS)


async def withdrawal(bench: Bench) -> dict[str, float]:
    """Median milliseconds of a call that is let in, and from the withdrawal to the refusal of the next call.

    Raises:
        RuntimeError: a call was let in after the right was withdrawn.
    """
    let_in, refused = [], []
    async with AdministrationClient(**bench.at_desk(bench.joined)) as administration:
        officer_id, key = await _enrolled(bench, administration)
        async with DeskClient(**bench.at_desk(bench.joined, key)) as desk:
            for _ in range(ROUNDS):
                start = time.perf_counter()
                await desk.queries(rows=1)
                let_in.append(time.perf_counter() - start)
                start = time.perf_counter()
                await administration.withdraw_right(officer_id, Right.AUDIT, None)
                try:
                    await desk.queries(rows=1)
                except Forbidden:
                    refused.append(time.perf_counter() - start)
                await administration.grant(officer_id, [AUDIT])
    if len(refused) < ROUNDS:
        raise RuntimeError(f"{ROUNDS - len(refused)} calls were let in after the right was withdrawn")
    return {"call_ms": statistics.median(let_in) * 1e3, "ms": statistics.median(refused) * 1e3}


async def _enrolled(bench: Bench, administration: AdministrationClient) -> tuple[str, OfficerKey]:
    """A second officer, who may audit."""
    reply = await administration.invite(
        InvitationWanted(name="for measuring", authority=CUSTOMS, life_s=30 * 86_400, grants=(AUDIT,))
    )
    signer = SoftwareSigner(os.urandom(32))
    code = DeskCode(
        address=bench.joined.desk,
        party=bench.joined.party,
        token=reply.outcome.token,
        ca_key_sha256=reply.ca_key_sha256,
    )
    async with greeting(code, clock=SystemClock()) as node:
        enrolled = await node.enrol(signer)
    return enrolled.officer_id, OfficerKey(certificate=enrolled.certificate, signer=signer)
