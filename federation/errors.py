"""The tree of errors. Every error that a person may see says what happened and, as `hint`, what to do next.

    FederationError
    ├── Misuse                    our own code broke a rule: a defect to mend, never shown as the user's fault
    ├── Unprocessable             what came in is authentic, and a defect of the receiver kept it from being taken
    ├── PeerMisbehaviour          what came in is refused
    │   ├── Malformed             bytes that do not parse, or parse in more than one way
    │   │   └── Oversized         more than `limits` allows
    │   ├── Unauthentic           a signature, certificate or proof that does not verify
    │   │   └── Unwitnessed       too few witnesses stand under the directory
    │   ├── Forbidden             authentic, but this sender may not do this
    │   ├── Replayed              a message id that was seen with another content
    │   └── Incompatible          a protocol version, suite or kind that we do not speak
    ├── Unavailable               nothing is wrong with the request; try again later
    │   ├── Unreachable           the other node did not answer
    │   ├── StoreUnavailable      our own disk is full or failing; nothing was acknowledged
    │   ├── Stale                 what is shown is too old to bring anything new
    │   ├── KeysUnavailable       the hardware module that holds our keys does not answer; nothing was signed
    │   ├── Overloaded            a budget is used up
    │   └── DeadlinePassed        the time that was given is over
    └── OperatorMistake           the person or the configuration at this end can mend it
        ├── InvalidInput          an argument that cannot mean anything
        ├── InvalidScan           a scan or typed code that no rule can read
        ├── InvalidConfiguration  a configuration file, named with its field
        ├── NotFound              nothing here has that name
        ├── UnknownParty          no such Party in the accepted directory
        └── Conflict              it is not possible in the present state

`code` is the stable word for programs (it crosses the wire and stands in `--json`); the message is for people.
"""

from __future__ import annotations

from typing import ClassVar


class FederationError(Exception):
    """Root of all errors that this project raises on purpose.

    Args:
        message: one sentence in plain words, without a secret, a person or a full code in it.
        hint: what the reader can do next; the class has a general one.
    """

    code: ClassVar[str] = "internal"
    default_hint: ClassVar[str] = "report this with the log of the node"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint

    def __str__(self) -> str:
        return self.message


class Misuse(FederationError):
    """Our own code called something against its contract."""

    code = "misuse"
    default_hint = "this is a defect of gsp-node: report it with the log of the node"


class Unprocessable(FederationError):
    """A message is what it says, and the receiving node failed over it. The same message would fail again."""

    code = "unprocessable"
    default_hint = "tell the operator of the receiving node, who finds the reason there; send it again when it is mended"


class PeerMisbehaviour(FederationError):
    """What another participant sent is refused."""

    code = "peer-misbehaviour"
    default_hint = "tell the contact point of the sending Party; nothing was changed here"


class Malformed(PeerMisbehaviour):
    """Bytes from outside do not parse, or would parse in more than one way."""

    code = "malformed"
    default_hint = "the sender runs a faulty or a newer program; ask it for its version"


class Oversized(Malformed):
    """More than `federation.limits` allows."""

    code = "oversized"
    default_hint = "send less at once; the limits are in the user guide"


class Unauthentic(PeerMisbehaviour):
    """A signature, certificate chain or Merkle proof does not verify."""

    code = "unauthentic"
    default_hint = "somebody changed the bytes or uses a key that the directory does not list; do not act on them"


class Unwitnessed(Unauthentic):
    """Too few witnesses stand under the directory that was shown."""

    code = "unwitnessed"
    default_hint = "wait for the witnesses; when they stay away, ask them by telephone whether they see the same directory"


class Forbidden(PeerMisbehaviour):
    """The sender is who it says, and may not do this."""

    code = "forbidden"
    default_hint = "the right has to be granted by the Party that owns the data or by the administrator"


class Replayed(PeerMisbehaviour):
    """A message id was used before with another content."""

    code = "replayed"
    default_hint = "the first message stands; ask the sender whether its node was restored from a backup"


class Incompatible(PeerMisbehaviour):
    """A protocol version, suite or message kind that this node does not speak."""

    code = "incompatible"
    default_hint = "compare the versions of both nodes with `gsp doctor`"


class Unavailable(FederationError):
    """Nothing is wrong with what was asked; it cannot be done at this moment."""

    code = "unavailable"
    default_hint = "the node tries again by itself"


class Unreachable(Unavailable):
    """The other node did not answer. This is never the same as "not found"."""

    code = "unreachable"
    default_hint = "the message waits in the outbox and goes out when the other node is back"


class StoreUnavailable(Unavailable):
    """Our own store failed (a full or broken disk). Nothing was acknowledged, so nothing is lost."""

    code = "store-unavailable"
    default_hint = "make room on the disk of this node, then try again; `gsp doctor` shows how much is left"


class Stale(Unavailable):
    """The directory that is shown is old: whoever shows it may be holding back what came since."""

    code = "stale"
    default_hint = "known Parties go on exchanging; ask the Secretariat by telephone why its directory stands still"


class KeysUnavailable(Unavailable):
    """The hardware module that holds our own keys does not answer. Nothing was signed."""

    code = "keys-unavailable"
    default_hint = "see that the module is there and its service runs; the node goes on by itself when it is back"


class Overloaded(Unavailable):
    """A budget is used up for now."""

    code = "overloaded"
    default_hint = "wait a minute and try again"


class DeadlinePassed(Unavailable):
    """The time that was given is over."""

    code = "deadline-passed"
    default_hint = "ask again with a later deadline"


class OperatorMistake(FederationError):
    """The person or the configuration at this end can mend it."""

    code = "operator-mistake"
    default_hint = "see `gsp --help`"


class InvalidInput(OperatorMistake):
    """An argument that cannot mean anything here."""

    code = "invalid-input"


class InvalidScan(OperatorMistake):
    """A scan or typed code that no rule can read."""

    code = "invalid-scan"
    default_hint = "scan again, or type the code exactly as printed, with capitals and small letters as they are"


class InvalidConfiguration(OperatorMistake):
    """A configuration file that cannot be used; the message names the field."""

    code = "invalid-configuration"
    default_hint = "compare the file with the example in config/"


class NotFound(OperatorMistake):
    """Nothing at this node has that name."""

    code = "not-found"
    default_hint = "list what there is with `gsp queries` or `gsp inbox`"


class UnknownParty(OperatorMistake):
    """No such Party in the directory that this node has accepted."""

    code = "unknown-party"
    default_hint = "it is not a Party, or the directory here is old: `gsp doctor` shows its age"


class Conflict(OperatorMistake):
    """It is not possible in the present state."""

    code = "conflict"
    default_hint = "look at the present state first"
