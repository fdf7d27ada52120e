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
from federation.errors import FederationError, InvalidConfiguration
from federation.identity import PartyId, check_domain, party_id
from federation.query.codes import Automation, Purpose
from federation.query.items import Item, ItemState
from federation.query.policy import ItemRule, Policy, Rule

_FILE_BYTES_MAX: Final = 65_536
"""A configuration file that a person writes."""

Address = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.\-\[\]:]{1,253}:[0-9]{1,5}$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


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
        pkcs11: a hardware module that keeps keys; without one they are all in the keystore file.
        log_level: debug, info, warning or error.
    """

    party: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARACTERS_MAX)]
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
    pkcs11: NodeToken | None = None
    log_level: Annotated[str, msgspec.Meta(pattern="^(debug|info|warning|error)$")] = "info"

    @property
    def party_id(self) -> PartyId:
        """The Party, parsed."""
        return party_id(self.party)

    @property
    def endpoint(self) -> str:
        """Where other nodes dial."""
        return self.public if self.public is not None else self.listen


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
Result = TypeVar("Result")


def read_node_settings(path: Path) -> NodeSettings:
    """Read `node.toml`.

    Raises:
        InvalidConfiguration: with the file and the field in the message.
    """
    settings = _read(path, NodeSettings)
    _checked(path, lambda: (party_id(settings.party), check_domain(settings.domain)))
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
        raise InvalidConfiguration(f"{path.name}: {error}", hint=f"correct {path}; config/ has a commented example") from error


def _checked(path: Path, make: Callable[[], Result]) -> Result:
    try:
        return make()
    except FederationError as error:
        raise InvalidConfiguration(f"{path.name}: {error.message}", hint=error.hint) from error


def write_settings(path: Path, settings: msgspec.Struct) -> None:
    """Write settings as TOML that a person can read and change; fields with their standard value are left out."""
    standard = {field.name: field.default for field in msgspec.structs.fields(settings)}
    lines = ["# Settings of this node; docs/operating.md explains each field.\n"]
    for name, value in msgspec.to_builtins(settings).items():
        if value is not None and value != standard.get(name):
            lines.append(f"{name} = {_toml(value)}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _toml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return msgspec.json.encode(value).decode()
