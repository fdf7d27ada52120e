"""Everything about a node's own officers, put together: the same for real nodes and for simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from federation.identity import NodeName, PartyId
from node.use_cases.administration import Administration
from node.use_cases.entitlement import Entitlement
from node.use_cases.officer_enrolment import Certify, OfficerEnrolment
from node.use_cases.officers import OfficerStore
from node.use_cases.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerParts:
    """What the officers' side of a node is made of.

    Attributes:
        certify: signs an officer's certificate with the Party CA.
        party_cas: DER of the Party's CAs that stand.
        four_eyes: whether the sensitive rights need two administrators.
    """

    store: OfficerStore
    certify: Certify
    party_cas: Callable[[], Sequence[bytes]]
    four_eyes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Personnel:
    """The use cases about officers."""

    entitlement: Entitlement
    administration: Administration
    enrolment: OfficerEnrolment


def employ(parts: OfficerParts, *, party: PartyId, node: NodeName, world: World) -> Personnel:
    """Wire them."""
    entitlement = Entitlement(party=party, store=parts.store, world=world)
    return Personnel(
        entitlement=entitlement,
        administration=Administration(
            party=party, store=parts.store, world=world, entitlement=entitlement, four_eyes=parts.four_eyes
        ),
        enrolment=OfficerEnrolment(
            node=node,
            store=parts.store,
            world=world,
            entitlement=entitlement,
            certify=parts.certify,
            party_cas=parts.party_cas,
        ),
    )
