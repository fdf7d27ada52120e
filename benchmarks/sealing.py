"""Sealing and opening one envelope, next to the sum of the primitives that it cannot do without."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import sha512

from federation.envelope import seal, suite
from federation.envelope.padding import pad
from federation.envelope.seal import Inner
from federation.trust.keys import SoftwareSigner, node_message, verify

ROUNDS = 400
BODY_BYTES = 3_000
HEADER_BYTES = 900


def seconds_each(work: Callable[[], object]) -> float:
    """Median seconds of one call."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[ROUNDS // 2]


def sealing() -> dict[str, tuple[float, float]]:
    """Seconds of sealing and of opening: ours, and the sum of the primitives alone."""
    signer = SoftwareSigner(secrets.token_bytes(32))
    key = suite.PrivateKey(secrets.token_bytes(32))
    cek = secrets.token_bytes(32)
    inner = Inner(statement=bytes(300), statement_signature=bytes(64), salt=bytes(32), body=bytes(BODY_BYTES))
    header = bytes(HEADER_BYTES)
    padded = pad(seal.pack_inner(inner))
    envelope = seal.seal(header=header, inner=inner, recipient_public=key.public_key, cek=cek, signer=signer)
    wrap, ciphertext = suite.wrap(key.public_key, b"info", cek), suite.seal_stream(cek, b"context", padded)
    message = node_message(seal.envelope_digest(envelope))
    signature = signer.sign(message)
    commitment = seal.body_commitment(inner)

    def ours_seal() -> None:
        seal.seal(header=header, inner=inner, recipient_public=key.public_key, cek=cek, signer=signer)

    def bare_seal() -> None:
        suite.wrap(key.public_key, b"info", cek)
        suite.seal_stream(cek, b"context", padded)
        sha512(ciphertext).digest()
        signer.sign(message)

    def ours_open() -> None:
        seal.verify_outer(envelope, signer.public_key)
        seal.open_envelope(envelope, key, commitment=commitment)

    def bare_open() -> None:
        verify(public_key=signer.public_key, message=message, signature=signature)
        sha512(ciphertext).digest()
        key.unwrap(b"info", wrap)
        suite.open_stream(cek, b"context", ciphertext)

    return {
        "seal": (seconds_each(ours_seal), seconds_each(bare_seal)),
        "verify and open": (seconds_each(ours_open), seconds_each(bare_open)),
    }
