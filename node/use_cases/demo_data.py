"""A Party's invented year of making, shipping, selling, losing and finding tobacco products, told from a seed.

Lots of four cases on a pallet leave the factory. The first pallet is exported whole; of the others each case goes its own way,
and each way is one short story below. Some loose packs have stories of their own. Together they show every state that an item
can have from the data, every status of a code, and contradictions; a test holds them to that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from federation.errors import InvalidInput
from federation.query.items import Item
from federation.uim.codes import Level
from federation.uim.pattern import PatternSet
from node.trace.events import (
    Aggregation,
    Application,
    Arrival,
    Confirmation,
    Deactivation,
    Disaggregation,
    Filing,
    Importation,
    Issuance,
    Pairing,
    Reactivation,
    Recall,
    Report,
    RetailDelivery,
    TransLoading,
)
from node.trace.model import Coverage, Reference
from node.trace.parts import DeactivationReason, Destination, DestinationKind, RecallReason, TransportMode
from node.use_cases.demo_plan import DemoPlan
from node.use_cases.demo_story import DAY, HOUR, YEAR, Box, Story

_LOADS: Final = {Level.PALLET: (Level.CASE, 4), Level.CASE: (Level.CARTON, 5), Level.CARTON: (Level.UNIT, 10)}
"""What goes into each level and how many; a real case holds fifty cartons."""
_PACKED_AFTER: Final = {Level.CARTON: HOUR, Level.CASE: 2 * HOUR, Level.PALLET: 3 * HOUR}
_FIRST_LOT: Final = 100 * DAY
"""Age of the first lot; the next ones are two days younger each. A story takes fifty days at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoData:
    """What a Party's system would have reported.

    Attributes:
        showcases: names of stories and the code that each is about, for example `pack-exported`.
    """

    references: tuple[Reference, ...]
    reports: tuple[Report, ...]
    coverage: Coverage
    showcases: Mapping[str, str]

    def filings(self) -> Iterator[Filing]:
        """All of it, in the order in which it is filed."""
        return itertools.chain(self.references, self.reports, (self.coverage,))


def demo_data(plan: DemoPlan, patterns: PatternSet, *, seed: bytes, now: int) -> DemoData:
    """Tell the stories of one Party.

    Args:
        plan: the invented world.
        patterns: of the Party whose stories are told; its codes are made in their form.
        seed: up to 60 bytes; the same seed and time give the same data.
        now: Unix seconds, UTC; nearly everything happened in the hundred days before.

    Raises:
        InvalidInput: the plan has no such Party.
    """
    if patterns.party not in plan.parties:
        raise InvalidInput("the demonstration has no such Party", hint=f"one of {', '.join(plan.parties)}")
    story = Story(plan, plan.parties[patterns.party], patterns, seed=patterns.party.encode() + seed, now=now)
    pallets = [_make_lot(story, number) for number in range(story.party.lots)]
    _export_pallet(story, pallets[0])
    cases = [case for pallet in pallets[1:] for case in _open_pallet(story, pallet)]
    for case, way in zip(cases, itertools.chain(_WAYS, itertools.repeat(_sell)), strict=False):
        way(story, case)
    for tell in _LOOSE_STORIES:
        tell(story)
    since = {item: now - 3 * YEAR if item is Item.E else 0 for item in Item if item not in story.party.not_held}
    return DemoData(
        references=tuple(plan.master_data(story.party)),
        reports=tuple(sorted(story.reports, key=lambda report: report.event.record_time)),
        coverage=Coverage(recorded_since=since, complete_as_of=now - 3 * HOUR),
        showcases=story.showcases,
    )


# --- making ------------------------------------------------------------------------------------------------------------


def _make_lot(story: Story, number: int) -> Box:
    """A pallet is made, packed and brought to the tax warehouse. The first one is for export."""
    made = (story.now - _FIRST_LOT + 2 * number * DAY) // HOUR * HOUR
    exported = number == 0
    pallet = _draw_box(story, Level.PALLET, made, variant=1 if exported else 0)
    machine_id = story.machine("second" if exported else "first")
    for level in (Level.UNIT, Level.CARTON, Level.CASE):
        codes = pallet.marked(level)
        if codes:
            _issue(story, codes, level, made - 20 * DAY, made_at=made, machine_id=machine_id, exported=exported)
    packs = pallet.marked(Level.UNIT)
    factory = story.place("factory")
    story.tell(Application, packs, made + HOUR // 4, facility_id=factory, machine_id=machine_id, shift="ABC"[number % 3])
    _pack(story, pallet)
    story.move(pallet.outer, "factory", "warehouse", made + DAY)
    story.sell(pallet.outer, "manufacturer", story.trader("distributor"), made + DAY)
    return pallet


def _draw_box(story: Story, level: Level, made: int, *, variant: int) -> Box:
    load, count = _LOADS.get(level, (Level.UNIT, 0))
    inside = tuple(_draw_box(story, load, made, variant=variant) for _ in range(count))
    code = story.codes.make(level, variant=variant, time=made) if level in story.party.forms else None
    return Box(level=level, code=code, made=made, inside=inside)


def _issue(
    story: Story,
    codes: tuple[str, ...],
    level: Level,
    at: int,
    *,
    made_at: int | None,
    machine_id: str | None = None,
    exported: bool = False,
    imported: bool = False,
) -> None:
    """The issuer gives codes out. Pallets are numbered by the maker, so nothing is issued for them."""
    home, abroad = story.party.country, story.party.abroad
    story.tell(
        Issuance,
        codes,
        at,
        level=level,
        issuer=story.party.issuer,
        product_id=story.product("export" if exported else "home"),
        facility_id=None if imported else story.place("factory"),
        machine_id=machine_id if level is Level.UNIT else None,
        intended_market=abroad if exported else home,
        intended_route=(home, abroad) if exported else (home,),
        made_at=made_at if story.codes.is_timed(level) else None,
    )


def _pack(story: Story, box: Box) -> None:
    for inner in box.inside:
        _pack(story, inner)
    if box.inside and box.code is not None:
        codes = tuple(code for inner in box.inside for code in inner.outer)
        at = box.made + _PACKED_AFTER[box.level]
        story.tell(Aggregation, codes, at, container=box.code, facility_id=story.place("factory"), level=box.level)


def _unpack(story: Story, box: Box, facility: str, at: int) -> None:
    if box.code is not None:
        story.tell(Disaggregation, (), at, container=box.code, facility_id=story.place(facility), whole=True)


def _open_pallet(story: Story, pallet: Box) -> tuple[Box, ...]:
    _unpack(story, pallet, "warehouse", pallet.made + 10 * DAY)
    return pallet.inside


# --- the ways of a pallet and of cases ------------------------------------------------------------------------------------


def _export_pallet(story: Story, pallet: Box) -> None:
    """Sold abroad and shipped, with a change of vehicle at the port."""
    leaves = pallet.made + 20 * DAY
    story.sell(pallet.outer, "distributor", story.customer_abroad, leaves, first=True)
    dispatch = story.export(pallet.outer, leaves)
    story.tell(
        TransLoading,
        pallet.outer,
        leaves + DAY,
        destination=Destination(kind=DestinationKind.EXPORT, country=story.party.abroad),
        consignee=story.consignee(story.customer_abroad),
        transport=TransportMode.SEA,
        vehicle="MV Example",
    )
    story.tell(Confirmation, (), leaves + 3 * DAY, about=dispatch)
    story.show_box("exported", pallet)


def _sell(story: Story, case: Box) -> None:
    """The usual way: to the wholesaler, who opens the case and sells to a shop."""
    leaves = case.made + 14 * DAY
    story.sell(case.outer, "distributor", story.trader("wholesaler"), leaves, first=True)
    story.move(case.outer, "warehouse", "depot", leaves)
    _unpack(story, case, "depot", leaves + DAY)
    cartons = tuple(code for carton in case.inside for code in carton.outer)
    story.sell(cartons, "wholesaler", story.trader("retailer"), leaves + 2 * DAY)
    story.send(cartons, "depot", "shop", leaves + 3 * DAY)
    shop = story.place("shop")
    story.tell(RetailDelivery, cartons, leaves + 3 * DAY + HOUR, facility_id=shop, outlet=story.trader("retailer"))
    story.show_box("sold", case)


def _keep(story: Story, case: Box) -> None:
    """Still in the warehouse, not sold to anybody outside the manufacturer's group."""
    story.show_box("in-warehouse", case)


def _announce(story: Story, case: Box) -> None:
    """To leave in two days: announced, not confirmed."""
    destination = Destination(kind=DestinationKind.DOMESTIC, facility_id=story.place("depot"), country=story.party.country)
    story.tell(
        TransLoading,
        case.outer,
        story.now + 3 * DAY,
        record_time=story.now - HOUR,
        destination=destination,
        transport=TransportMode.RAIL,
    )
    story.send(case.outer, "warehouse", "depot", story.now + 2 * DAY)
    story.show_box("announced", case)


def _steal(story: Story, case: Box) -> None:
    """Stolen from the warehouse."""
    story.tell(Deactivation, case.outer, case.made + 25 * DAY, reason=DeactivationReason.STOLEN, note="break-in, police informed")
    story.show_box("stolen", case)


def _recover(story: Story, case: Box) -> None:
    """Stolen, found a week later and made valid again."""
    story.tell(Deactivation, case.outer, case.made + 25 * DAY, reason=DeactivationReason.STOLEN)
    story.tell(Reactivation, case.outer, case.made + 33 * DAY, note="found unopened")
    story.show_box("recovered", case)


def _destroy(story: Story, case: Box) -> None:
    """Destroyed under supervision."""
    story.tell(Deactivation, case.outer, case.made + 40 * DAY, reason=DeactivationReason.DESTROYED)
    story.show_box("destroyed", case)


def _return(story: Story, case: Box) -> None:
    """Sold to the wholesaler, who sends it back."""
    leaves = case.made + 14 * DAY
    story.sell(case.outer, "distributor", story.trader("wholesaler"), leaves, first=True)
    story.move(case.outer, "warehouse", "depot", leaves)
    story.send(case.outer, "depot", "warehouse", leaves + 9 * DAY)
    story.tell(Arrival, case.outer, leaves + 9 * DAY + 6 * HOUR, facility_id=story.place("warehouse"), product_return=True)
    story.show_box("returned", case)


def _call_off(story: Story, case: Box) -> None:
    """An export was announced and did not take place: the report is recalled."""
    dispatch = story.export(case.outer, case.made + 15 * DAY)
    story.tell(Recall, (), case.made + 16 * DAY, about=dispatch, reason=RecallReason.DID_NOT_HAPPEN, note="order cancelled")
    story.show_box("called-off", case)


def _divert(story: Story, case: Box) -> None:
    """Exported on paper; six days later it arrives at a depot at home."""
    leaves = case.made + 15 * DAY
    story.sell(case.outer, "distributor", story.customer_abroad, leaves, first=True)
    story.export(case.outer, leaves)
    story.tell(Arrival, case.outer, leaves + 6 * DAY, facility_id=story.place("depot"))
    story.show_box("diverted", case)


_WAYS: Final = (_sell, _keep, _announce, _steal, _recover, _destroy, _return, _call_off, _divert)
"""One case goes each way, the rest is sold."""


# --- loose packs ----------------------------------------------------------------------------------------------------------


def _make_pack(story: Story, age: int) -> str:
    """One pack whose code was issued `age` seconds ago."""
    issued = story.now - age
    made = (issued + 5 * DAY) // HOUR * HOUR
    code = story.codes.make(Level.UNIT, time=made)
    _issue(story, (code,), Level.UNIT, issued, made_at=made, machine_id=story.machine())
    story.tell(Application, (code,), made + HOUR // 4, facility_id=story.place("factory"), machine_id=story.machine())
    return code


def _issue_unused(story: Story, age: int) -> str:
    """One code that was issued `age` seconds ago and put on no pack."""
    code = story.codes.make(Level.UNIT, time=None)
    _issue(story, (code,), Level.UNIT, story.now - age, made_at=None, machine_id=story.machine())
    return code


def _leave_unused(story: Story) -> None:
    """Codes that never came onto a pack: waiting, expired, given back, stolen on the roll, misprinted."""
    story.show("pack-not-applied", (_issue_unused(story, 8 * DAY),))
    story.show("pack-expired", (_issue_unused(story, 300 * DAY),))
    for name, reason in (("given-back", DeactivationReason.UNUSED), ("roll-stolen", DeactivationReason.MARKING_STOLEN)):
        code = _issue_unused(story, 60 * DAY)
        story.tell(Deactivation, (code,), story.now - 20 * DAY, reason=reason)
        story.show(f"pack-{name}", (code,))


def _spoil(story: Story) -> None:
    """Packs whose marking is void: torn, or withdrawn for a reason that only the note tells."""
    for name, reason in (("torn", DeactivationReason.MARKING_DESTROYED), ("withdrawn", DeactivationReason.OTHER)):
        code = _make_pack(story, 60 * DAY)
        story.tell(Deactivation, (code,), story.now - 20 * DAY, reason=reason, note="seen at the line")
        story.show(f"pack-{name}", (code,))


def _grow_old(story: Story) -> None:
    """A pack from before invoices were recorded, and one whose events are out of retention."""
    story.show("pack-before-invoices", (_make_pack(story, 4 * YEAR),))
    story.show("pack-out-of-retention", (_make_pack(story, 6 * YEAR),))


def _copy(story: Story) -> None:
    """The same code applied on two machines: one of them is a copy."""
    code = _make_pack(story, 50 * DAY)
    story.tell(Application, (code,), story.now - 30 * DAY, facility_id=story.place("factory"), machine_id=story.machine("second"))
    story.show("pack-copied", (code,))


def _import(story: Story) -> None:
    """Made abroad, marked for this market, brought in and sold; the factory and its machine are not known here."""
    issued = story.now - 45 * DAY
    made = (issued + 5 * DAY) // HOUR * HOUR
    codes = tuple(story.codes.make(Level.UNIT, time=made) for _ in range(50))
    _issue(story, codes, Level.UNIT, issued, made_at=made, imported=True)
    entry = made + 10 * DAY
    story.tell(
        Importation,
        codes,
        entry,
        origin=story.party.abroad,
        importer=story.trader("importer"),
        facility_id=story.place("bond"),
        document=f"MRN {story.draw.text('0123456789', 18)}",
    )
    story.tell(Arrival, codes, entry + 8 * HOUR, facility_id=story.place("bond"))
    story.sell(codes, "importer", story.trader("wholesaler"), entry + 4 * DAY, first=True)
    story.move(codes, "bond", "depot", entry + 4 * DAY)
    story.show("pack-imported", codes)


def _read_by_eye(story: Story) -> None:
    """The part of a code that people can read is another name of the pack."""
    length = story.party.forms[Level.UNIT].readable_length
    if length is not None:
        code = _make_pack(story, 40 * DAY)
        story.tell(Pairing, (code[:length],), story.now - 31 * DAY, key=code)
        story.show("pack-readable-part", (code[:length],))


def _invent(story: Story) -> None:
    """A code in the right form that no issuer ever gave out."""
    story.show("pack-never-issued", (story.codes.make(Level.UNIT, time=story.now - 30 * DAY),))


_LOOSE_STORIES: Final = (_leave_unused, _spoil, _grow_old, _copy, _import, _read_by_eye, _invent)
