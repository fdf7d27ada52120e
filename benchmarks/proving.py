"""`python -m benchmarks.proving`: what it costs to check a proof file, beside the signatures and hashes that cannot be saved.

The floor of a file is one Ed25519 verification for each that the check makes, one ECDSA verification for each certificate under its
CA, and one SHA-512 over its bytes, measured in the same run. Counted is time of the processor, so that a busy machine does not count
twice. A whole directory costs with its size, and a part of one does not.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha512
from unittest import mock

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from nacl.signing import SigningKey

from federation.boundary.proof import check_proof
from federation.boundary.proof_directory import whole
from federation.identity import PartyId
from federation.trust import chain
from federation.wire.evidence import encode_proof
from tests.support.crossing import Conversation
from tests.support.treaty import Treaty

REPEATED = 15


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One file."""

    name: str
    bytes: int
    check_ms: float
    floor_ms: float


def main() -> None:
    """Measure and print."""
    sys.stdout.write(f"{'file':44}{'bytes':>10}{'check ms':>12}{'floor ms':>12}{'ratio':>8}\n")
    for one in proving():
        ratio = one.check_ms / one.floor_ms
        sys.stdout.write(f"{one.name:44}{one.bytes:>10}{one.check_ms:>12.2f}{one.floor_ms:>12.2f}{ratio:>8.1f}\n")


def proving() -> list[Figure]:
    """A conversation in a small directory, in a large one of which a part is shown, and with whole directories."""
    few, many = _treaty(3), _treaty(60)
    return [
        _figure("a conversation, 3 Parties, part", few, entire=False),
        _figure("a conversation, 3 Parties, whole directory", few, entire=True),
        _figure("a conversation, 60 Parties, part", many, entire=False),
        _figure("a conversation, 60 Parties, whole directory", many, entire=True),
    ]


def _treaty(parties: int) -> Treaty:
    treaty = Treaty.make(seed=3)
    for number in range(parties):
        treaty.admit(f"{chr(97 + number // 26)}{chr(97 + number % 26)}")
    return treaty


def _figure(name: str, treaty: Treaty, *, entire: bool) -> Figure:
    talk = Conversation(treaty, treaty.parties[PartyId("aa")], treaty.parties[PartyId("ab")], by_hand=True)
    raw = encode_proof(talk.proof(talk.asking, entries=whole(treaty.log) if entire else None))

    def check() -> None:
        check_proof(raw, log_key=treaty.genesis.log_key, genesis_digest=treaty.genesis_digest)

    check()  # what is kept between two checks is there
    return Figure(name=name, bytes=len(raw), check_ms=_median_ms(check), floor_ms=_floor_ms(check, raw))


def _floor_ms(check: Callable[[], None], raw: bytes) -> float:
    """The signatures that this check makes, and a hash of everything."""
    with (
        mock.patch("federation.trust.keys.VerifyKey.verify") as signatures,
        mock.patch.object(chain, "_verifier", wraps=chain._verifier) as chains,  # counted, not changed
    ):
        check()
    key = SigningKey.generate()
    message, public = bytes(200), key.verify_key
    signature = key.sign(message).signature
    one_ms = _median_ms(lambda: public.verify(message, signature))
    curve = ec.generate_private_key(ec.SECP256R1())
    by_curve = curve.sign(message, ec.ECDSA(hashes.SHA256()))
    chain_ms = _median_ms(lambda: curve.public_key().verify(by_curve, message, ec.ECDSA(hashes.SHA256())))
    hash_ms = _median_ms(lambda: sha512(raw).digest())
    return signatures.call_count * one_ms + chains.call_count * chain_ms + hash_ms


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATED):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    main()
