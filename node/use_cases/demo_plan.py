"""What the demonstration's world is made of, as `config/demo/trace.toml` says it (`node.formats.demo_plans` reads it)."""

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

    code: str
    name: str
    address: str
    registration: str
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityRole:
    """A place that each Party has. `operator` is the role of who runs it."""

    code: str
    name: str
    kind: FacilityKind
    address: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRole:
    """A product that is made in each Party."""

    code: str
    product_class: ProductClass
    brand: str
    description: str
    weight_mg: int
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRole:
    """A machine in each Party's factory."""

    code: str
    name: str


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
    """The whole file. A role becomes master data of a Party: its country and the role's code are the identifier."""

    operators: Mapping[str, OperatorRole]
    facilities: Mapping[str, FacilityRole]
    machines: Mapping[str, MachineRole]
    products: Mapping[str, ProductRole]
    customer_abroad: CustomerAbroad
    parties: Mapping[str, DemoParty]

    def operator_id(self, party: DemoParty, role: str) -> str:
        """How a Party calls an operator."""
        return party.country + self.operators[role].code

    def facility_id(self, party: DemoParty, role: str) -> str:
        """How a Party calls a place."""
        return party.country + self.facilities[role].code

    def machine_id(self, party: DemoParty, role: str) -> str:
        """How a Party calls a machine."""
        return party.country + self.machines[role].code

    def product_id(self, party: DemoParty, role: str) -> str:
        """How a Party calls a product."""
        return party.country + self.products[role].code

    def master_data(self, party: DemoParty) -> Iterator[Reference]:
        """The cast as one Party knows it."""
        for role, operator in self.operators.items():
            yield Operator(
                operator_id=self.operator_id(party, role),
                name=operator.name,
                address=operator.address,
                country=party.country,
                registration=operator.registration,
                group=operator.group,
            )
        for role, place in self.facilities.items():
            yield Facility(
                facility_id=self.facility_id(party, role),
                name=place.name,
                kind=place.kind,
                address=place.address,
                country=party.country,
                operator_id=self.operator_id(party, place.operator),
            )
        for role, machine in self.machines.items():
            factory = self.facility_id(party, "factory")
            yield Machine(machine_id=self.machine_id(party, role), name=machine.name, facility_id=factory)
        for role, product in self.products.items():
            yield Product(
                product_id=self.product_id(party, role),
                product_class=product.product_class,
                brand=product.brand,
                description=product.description,
                units=product.units,
                weight_mg=product.weight_mg,
                operator_id=self.operator_id(party, "manufacturer"),
            )
