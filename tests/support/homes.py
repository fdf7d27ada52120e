"""Homes on the disk, as `gsp party join` and `gsp secretariat init` leave them, for tests that look at files and start no node."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from node.config import NodeSettings, SecretariatSettings, write_settings
from node.keystore import Cost, Keystore
from node.store.directory import SqliteDirectory
from node.store.enrolment import SqliteEnrolments
from node.store.exchange import SqliteExchange
from node.store.patterns import SqlitePatterns
from node.store.trace import SqliteTrace
from node.store.vault import Vault

PASSPHRASE = b"of the keystore"
POLICY = 'standard = "manual"\n'


async def party_home(home: Path, *, policy: str | None = "policy.toml", patterns: tuple[str, ...] = ()) -> Path:
    """Keys, settings and four stores; the policy is written where the settings name it."""
    home.mkdir(mode=0o700)
    keystore = Keystore.create(home / "keystore", PASSPHRASE, secrets.token_bytes, cost=Cost.MINIMAL)
    for name in ("party", "ca", "signing", "storage"):
        keystore.put(name, secrets.token_bytes(32))
    if policy is not None:
        (home / policy).parent.mkdir(parents=True, exist_ok=True)
        (home / policy).write_text(POLICY, encoding="utf-8")
    settings = NodeSettings(
        party="qm",
        name="Mirovia",
        domain="gsp.example",
        genesis="0" * 64,
        secretariat="127.0.0.1:1",
        listen="127.0.0.1:2",
        desk="127.0.0.1:3",
        policy=policy,
        patterns=patterns,
    )
    write_settings(home / "node.toml", settings)
    (home / "joining.json").write_text('{"party":"qm","next_key_hash":"00"}', encoding="utf-8")
    async with (
        SqliteDirectory.open(home / "directory.sqlite"),
        SqlitePatterns.open(home / "patterns.sqlite"),
        SqliteTrace.open(home / "trace.sqlite"),
        SqliteExchange.open(home / "exchange.sqlite", vault=vault_of(keystore)),
    ):
        pass
    (home / "officers" / "abcdefgh").mkdir(parents=True)
    (home / "officers" / "abcdefgh" / "key").write_text("an officer's key", encoding="utf-8")
    (home / "next-party-key-qm.txt").write_text("the next Party key", encoding="utf-8")
    return home


def vault_of(keystore: Keystore) -> Vault:
    """Of the node whose keystore this is."""
    return Vault(keystore.get("storage"), entropy=os.urandom)


async def secretariat_home(home: Path) -> Path:
    """Keys, settings, certificates and two stores, and what is never backed up."""
    for name in ("certificates", "take-away", "tray", "pending"):
        (home / name).mkdir(parents=True, mode=0o700)
    keystore = Keystore.create(home / "keystore", PASSPHRASE, secrets.token_bytes, cost=Cost.MINIMAL)
    keystore.put("log", secrets.token_bytes(32))
    for name in ("issuing-ca", "ca", "join"):
        (home / "certificates" / f"{name}.pem").write_text(f"certificate {name}", encoding="utf-8")
    (home / "take-away" / "root.key").write_text("the root's key", encoding="utf-8")
    write_settings(
        home / "secretariat.toml",
        SecretariatSettings(domain="gsp.example", genesis="0" * 64, listen="127.0.0.1:1", join="127.0.0.1:2"),
    )
    async with SqliteDirectory.open(home / "directory.sqlite"), SqliteEnrolments.open(home / "enrolment.sqlite"):
        pass
    return home
