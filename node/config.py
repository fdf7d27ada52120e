"""Settings of a node: one frozen value for each role, read strictly from a few lines of TOML. A field that is not known, missing or
wrong is named. A setting exists only where we could not choose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from federation import limits
from federation.errors import FederationError, InvalidConfiguration, Oversized
from federation.identity import PartyId, check_domain, party_id
from federation.query.codes import Automation, Purpose
from federation.query.items import Item, ItemState
from federation.query.policy import ItemRule, Policy, Rule
from federation.text import check_plain
from federation.trust.entries import AdministratorKind, AuthorityKind

_FILE_BYTES_MAX: Final = 65_536
"""A configuration file that a person writes."""

Address = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.\-\[\]:]{1,253}:[0-9]{1,5}$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARACTERS_MAX)]

_SAID_BYTES_MAX: Final = limits.ENTRY_BYTES_MAX - 8_192
"""Names and addresses of one Party together: an update entry holds them all, and its numbers, digests and signature."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of a list that a Party publishes."""


class AuthorityLine(_Line, frozen=True, kw_only=True):
    """A competent authority (Article 8.8)."""

    kind: AuthorityKind
    name: Name


class ContactLine(_Line, frozen=True, kw_only=True):
    """A desk that the Secretariat and other Parties write to."""

    name: Name
    address: Name


class AdministratorLine(_Line, frozen=True, kw_only=True):
    """Who issues certificates to officers and grants them rights."""

    kind: AdministratorKind
    name: Name
    address: Name


Authorities = Annotated[tuple[AuthorityLine, ...], msgspec.Meta(max_length=limits.AUTHORITIES_MAX)]
Contacts = Annotated[tuple[ContactLine, ...], msgspec.Meta(max_length=limits.CONTACTS_MAX)]
Administrators = Annotated[tuple[AdministratorLine, ...], msgspec.Meta(max_length=limits.ADMINISTRATORS_MAX)]


class NodeToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pkcs11` in `node.toml`: a hardware module that keeps keys of this Party.

    Attributes:
        module: path of the vendor's PKCS #11 library.
        token: label of the token; this Party alone uses it.
        keys: which keys are made and used there; the others are in the keystore file.
    """

    module: Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    keys: tuple[Literal["party", "ca", "signing"], ...] = ("party", "ca", "signing")


class SecretariatToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pkcs11` in `secretariat.toml`; the fields are as in `node.toml`."""

    module: Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    keys: tuple[Literal["log", "issuing", "ca"], ...] = ("log", "issuing", "ca")


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`node.toml`: one Party's node.

    Attributes:
        party: the Party's two letters.
        name: the Party in words, as other Parties see it.
        domain: the treaty's domain, from the genesis entry.
        genesis: digest of the genesis entry, in hexadecimal, got from the Secretariat by another way than the network.
        secretariat: host:port of the Secretariat's node.
        secretariat_join: host:port of its join port, where a Party whose CA has ended hands in the next one; from the join code.
        listen: host:port for other nodes.
        public: host:port under which other nodes reach `listen`; the same when it is not given.
        desk: host:port for the own officers.
        node_id: short DNS label of this node.
        region: a regional organisation that answers for others under mandates.
        patterns: files of the pattern sets that this node answers with, beside this file or absolute.
        policy: file of the answering policy; without one everything is answered by hand.
        four_eyes: whether a second administrator has to approve who may administer or approve.
        retention_days: how long messages and the records of them are kept; no shorter than the five years of the law.
        pkcs11: a hardware module that keeps keys; without one they are all in the keystore file.
        log_level: debug, info, warning or error.
        pilot: the Party tries it out and says so; others may ask it all the same.
        profile: file of the Party's track-and-trace profile; its version and digest go into the directory.
        authorities: the competent authorities of Article 8.8, each with `kind` and `name`.
        contacts: contact points, each with `name` and `address`.
        administrators: who issues certificates to officers, each with `kind` (national or regional), `name` and `address`.
    """

    party: str
    name: Name
    domain: str
    genesis: Digest
    secretariat: Address
    secretariat_join: Address | None = None
    listen: Address
    public: Address | None = None
    desk: Address
    node_id: str = "n1"
    region: bool = False
    patterns: tuple[str, ...] = ()
    policy: str | None = None
    four_eyes: bool = False
    retention_days: Annotated[int, msgspec.Meta(ge=limits.RETENTION_S // 86_400, le=36_500)] = limits.RETENTION_S // 86_400
    pkcs11: NodeToken | None = None
    log_level: Annotated[str, msgspec.Meta(pattern="^(debug|info|warning|error)$")] = "info"
    pilot: bool = False
    profile: str | None = None
    authorities: Authorities = ()
    contacts: Contacts = ()
    administrators: Administrators = ()

    @property
    def party_id(self) -> PartyId:
        """The Party, parsed."""
        return party_id(self.party)

    @property
    def endpoint(self) -> str:
        """Where other nodes dial."""
        return self.public if self.public is not None else self.listen


class MemberFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a region writes of a member that it administers for, as a file. The fields mean what they mean in `node.toml`.

    Attributes:
        patterns: file of the set that the member publishes; without it the one that stands stays.
        profile: file of the member's track-and-trace profile; without it the one that stands stays.
    """

    name: Name
    pilot: bool = False
    patterns: str | None = None
    profile: str | None = None
    authorities: Authorities = ()
    contacts: Contacts = ()
    administrators: Administrators = ()


class SecretariatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`secretariat.toml`: the Secretariat's node.

    Attributes:
        domain: the treaty's domain.
        genesis: digest of the genesis entry, in hexadecimal.
        listen: host:port for Parties' nodes.
        public: host:port under which they reach it; the same when it is not given.
        join: host:port of the join port.
        public_join: host:port under which joining Parties reach it; the same when it is not given.
        pkcs11: a hardware module that keeps keys; without one they are all in the keystore file.
        log_level: debug, info, warning or error.
    """

    domain: str
    genesis: Digest
    listen: Address
    public: Address | None = None
    join: Address
    public_join: Address | None = None
    pkcs11: SecretariatToken | None = None
    log_level: Annotated[str, msgspec.Meta(pattern="^(debug|info|warning|error)$")] = "info"

    @property
    def endpoint(self) -> str:
        """Where Parties' nodes dial."""
        return self.public if self.public is not None else self.listen

    @property
    def join_endpoint(self) -> str:
        """Where joining Parties dial."""
        return self.public_join if self.public_join is not None else self.join


class _ItemLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    item: Item
    state: ItemState


class _RuleLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    parties: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    automation: Automation
    items: tuple[_ItemLine, ...] = ()
    codes_max: int = limits.CODES_PER_QUERY_MAX


class _PolicyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`policy.toml`: what is answered without an officer. The standard is by hand; rules are tried in order."""

    standard: Automation = Automation.MANUAL
    rules: tuple[_RuleLine, ...] = ()


Settings = TypeVar("Settings", bound=msgspec.Struct)
Said = TypeVar("Said", NodeSettings, MemberFile)
Result = TypeVar("Result")


def read_node_settings(path: Path) -> NodeSettings:
    """Read `node.toml`.

    Raises:
        InvalidConfiguration: with the file and the field in the message.
    """
    settings = _read(path, NodeSettings)
    _checked(path, lambda: (party_id(settings.party), check_domain(settings.domain)))
    return _checked(path, lambda: _said(settings))


def read_member_file(path: Path) -> MemberFile:
    """Read what a region writes of a member.

    Raises:
        InvalidConfiguration: with the file and the field in the message.
    """
    file = _read(path, MemberFile)
    return _checked(path, lambda: _said(file))


def _said(settings: Said) -> Said:
    """What goes into the directory is refused here first, where its author can mend it."""
    said = [("the name", settings.name)]
    said += [("the name of an authority", one.name) for one in settings.authorities]
    said += [text for one in settings.contacts for text in (("a contact point", one.name), ("an address", one.address))]
    said += [text for one in settings.administrators for text in (("an administrator", one.name), ("an address", one.address))]
    for what, value in said:
        check_plain(value, what, characters_max=limits.NAME_CHARACTERS_MAX)
    if sum(len(value.encode()) for _, value in said) > _SAID_BYTES_MAX:
        raise Oversized("authorities, contacts and administrators together are longer than a directory entry may be")
    return settings


def read_secretariat_settings(path: Path) -> SecretariatSettings:
    """Read `secretariat.toml`.

    Raises:
        InvalidConfiguration: with the file and the field in the message.
    """
    settings = _read(path, SecretariatSettings)
    _checked(path, lambda: check_domain(settings.domain))
    return settings


def read_policy(path: Path) -> Policy:
    """Read an answering policy.

    Raises:
        InvalidConfiguration: with the file and the field in the message.
    """
    file = _read(path, _PolicyFile)
    return _checked(path, lambda: _policy(file))


def _policy(file: _PolicyFile) -> Policy:
    rules = tuple(
        Rule(
            parties=frozenset(party_id(party) for party in line.parties),
            purposes=frozenset(line.purposes),
            automation=line.automation,
            items=tuple(ItemRule(item=one.item, state=one.state) for one in line.items),
            codes_max=line.codes_max,
        )
        for line in file.rules
    )
    return Policy(standard=file.standard, rules=rules)


def _read(path: Path, kind: type[Settings]) -> Settings:
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
        if len(raw) > _FILE_BYTES_MAX:
            raise InvalidConfiguration(f"{path.name} is longer than any configuration")
        return msgspec.convert(tomllib.loads(raw.decode()), kind, strict=True)
    except OSError as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidConfiguration(f"{path.name}: {error}", hint=_hint(path, str(error))) from error


def _hint(path: Path, message: str) -> str:
    """What to do about a wrong field. Nobody has to guess why an authority of the industry has no kind."""
    if "$.authorities[" in message and ".kind" in message:
        return f"the kinds are {', '.join(AuthorityKind)}; there is none for the tobacco industry (Article 8.12); correct {path}"
    return f"correct {path}; config/ has a commented example"


def _checked(path: Path, make: Callable[[], Result]) -> Result:
    try:
        return make()
    except FederationError as error:
        raise InvalidConfiguration(f"{path.name}: {error.message}", hint=error.hint) from error


def write_settings(path: Path, settings: msgspec.Struct) -> None:
    """Write settings as TOML that a person can read and change; fields with their standard value are left out."""
    standard = {
        field.name: msgspec.to_builtins(field.default) for field in msgspec.structs.fields(settings) if not field.required
    }
    lines, tables = ["# Settings of this node; docs/operating.md explains each field.\n"], []
    for name, value in msgspec.to_builtins(settings).items():
        if value is None or value == standard.get(name):
            continue
        if isinstance(value, (list, tuple)) and isinstance(value[0], dict):
            tables += [f"\n[[{name}]]\n" + "".join(f"{key} = {_toml(cell)}\n" for key, cell in row.items()) for row in value]
        else:
            lines.append(f"{name} = {_toml(value)}\n")
    path.write_text("".join([*lines, *tables]), encoding="utf-8")


def _toml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return msgspec.json.encode(value).decode()
