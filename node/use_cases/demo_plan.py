"""What the demonstration's world is made of, as `config/demo/trace.toml` says it: msgspec reads the file into a `DemoPlan`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from federation.query.items import Item
from federation.uim.codes import Level, ProductClass
from node.trace.model import Facility, FacilityKind, Machine, Operator, Product, Reference
from node.use_cases.demo_codes import CodeForm


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRole:
    """An operator that each Party has; see `node.trace.model.Operator`."""

    name: str
    address: str
    registration: str
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityRole:
    """A place that each Party has. `operator` is the role of who runs it."""

    name: str
    kind: FacilityKind
    address: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRole:
    """A product that is made in each Party."""

    product_class: ProductClass
    brand: str
    description: str
    weight_mg: int
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAbroad:
    """A buyer who is registered nowhere in the Party."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoParty:
    """What differs between the Parties.

    Attributes:
        issuer: identification code of its issuer of codes.
        country: where its goods are made and sold.
        abroad: where its exports go and its imports come from.
        lots: pallets made (four cases each); four at least, so that every story is told.
        forms: of its codes; unit packets always have one.
        not_held: items that its system does not record.
    """

    issuer: str
    country: str
    abroad: str
    lots: int
    forms: Mapping[Level, CodeForm]
    not_held: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """The whole file. Roles become master data of a Party with its country in front of the identifier."""

    operators: Mapping[str, OperatorRole]
    facilities: Mapping[str, FacilityRole]
    machines: Mapping[str, str]
    products: Mapping[str, ProductRole]
    customer_abroad: CustomerAbroad
    parties: Mapping[str, DemoParty]

    def master_data(self, party: DemoParty) -> Iterator[Reference]:
        """The cast as one Party knows it."""
        country = party.country
        for role, operator in self.operators.items():
            yield Operator(
                operator_id=identifier(party, role),
                name=operator.name,
                address=operator.address,
                country=country,
                registration=operator.registration,
                group=operator.group,
            )
        for role, place in self.facilities.items():
            yield Facility(
                facility_id=identifier(party, role),
                name=place.name,
                kind=place.kind,
                address=place.address,
                country=country,
                operator_id=identifier(party, place.operator),
            )
        for role, name in self.machines.items():
            yield Machine(machine_id=identifier(party, role), name=name, facility_id=identifier(party, "factory"))
        for role, product in self.products.items():
            yield Product(
                product_id=identifier(party, role),
                product_class=product.product_class,
                brand=product.brand,
                description=product.description,
                units=product.units,
                weight_mg=product.weight_mg,
                operator_id=identifier(party, "manufacturer"),
            )


def identifier(party: DemoParty, role: str) -> str:
    """How one Party calls a member of the cast."""
    return f"{party.country}-{role}"
