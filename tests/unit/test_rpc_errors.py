"""The error tree over gRPC status, without a network."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import errors
from federation.errors import FederationError, Incompatible, NotFound, Oversized, Unavailable, Unreachable
from node import limits as node_limits
from node.rpc.errors import CODE_KEY, HINT_KEY, UNFORESEEN, Status, from_status, to_status

NOW = 1_800_000_000


def tree(error: type[FederationError] = FederationError) -> Iterator[type[FederationError]]:
    yield error
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


@pytest.mark.parametrize("error", list(tree()), ids=lambda error: error.code)
def test_every_error_survives_the_wire(error):
    sent = error("what happened", hint="what to do")

    came = from_status(to_status(sent), now=NOW)

    assert (type(came), came.message, came.hint) == (error, "what happened", "what to do")


def test_an_error_that_is_not_listed_travels_as_its_ancestor():
    class Special(NotFound):
        code = "special"

    assert type(from_status(to_status(Special("it is gone")), now=NOW)) is NotFound


def test_an_exception_that_nobody_foresaw_tells_the_caller_to_try_again():
    came = from_status(UNFORESEEN, now=NOW)

    assert type(came) is Unavailable
    assert "log" in came.hint


def test_a_code_that_does_not_go_with_its_status_counts_for_nothing():
    status = Status(number=grpc.StatusCode.UNIMPLEMENTED, details="", trailing=((CODE_KEY, "not-found"),))

    assert type(from_status(status, now=NOW)) is Incompatible


def test_a_message_that_is_too_large_for_grpc_is_oversized():
    status = Status(number=grpc.StatusCode.RESOURCE_EXHAUSTED, details="CLIENT: Sent message larger than max (5 vs. 4)")

    assert type(from_status(status, now=NOW)) is Oversized


@pytest.mark.parametrize(
    ("details", "message", "hint"),
    [
        ("last error: connect: Connection refused", "nothing listens", "outbox"),
        ("Hostname Verification Check failed.", "names another node", "directory"),
        ("CERTIFICATE_VERIFY_FAILED: certificate has expired: OK", "has expired", "2027-01-15 08:00:00 UTC"),
        ("CERTIFICATE_VERIFY_FAILED: certificate is not yet valid", "not valid yet", "2027-01-15 08:00:00 UTC"),
        ("CERTIFICATE_VERIFY_FAILED: unable to get local issuer", "CA that the directory pins", "gsp doctor"),
        ("Tls handshake failed (TSI_PROTOCOL_FAILURE)", "TLS", "2027-01-15 08:00:00 UTC"),
        ("errors resolving no.such.host", "DNS", "name server"),
        ("failed to connect to all addresses; last error: Socket closed", "ends each connection", "2027-01-15"),
        ("something that a later gRPC says", "broke", "outbox"),
    ],
)
def test_the_cause_of_a_missing_connection_is_told(details, message, hint):
    came = from_status(Status(number=grpc.StatusCode.UNAVAILABLE, details=details), now=NOW)

    assert type(came) is Unreachable
    assert message in came.message
    assert hint in came.hint


def test_a_call_that_ran_out_of_time_means_that_the_peer_was_not_reached():
    came = from_status(Status(number=grpc.StatusCode.DEADLINE_EXCEEDED, details="Deadline Exceeded"), now=NOW)

    assert type(came) is Unreachable
    assert "in time" in came.message


def test_what_the_other_end_wrote_is_cut_and_cleaned():
    status = Status(
        number=grpc.StatusCode.NOT_FOUND,
        details="\x1b[2J" + "long " * 1_000,
        trailing=((CODE_KEY, "not-found"), (HINT_KEY, b"\xff\x07 one\ntwo")),
    )

    came = from_status(status, now=NOW)

    assert came.message.startswith("[2Jlong")
    assert len(came.message) == node_limits.ERROR_TEXT_CHARACTERS_MAX
    assert came.hint == "\ufffd one two"


@given(
    number=st.sampled_from(grpc.StatusCode),
    details=st.text(),
    trailing=st.dictionaries(st.sampled_from([CODE_KEY, HINT_KEY, "other"]), st.text() | st.binary()),
)
def test_any_status_becomes_one_of_our_errors_with_text_to_show(number, details, trailing):
    came = from_status(Status(number=number, details=details, trailing=tuple(trailing.items())), now=NOW)

    assert isinstance(came, FederationError)
    assert came.message
    assert came.message.isprintable()
    assert came.hint.isprintable()
