"""Every method of the services between nodes, over real mTLS on loopback."""

from __future__ import annotations

import pytest

from federation.envelope.seal import Envelope
from federation.errors import Malformed, NotFound, Oversized, Unreachable
from federation.ports import Delivery, DirectoryService, Transport
from federation.wire.envelope import encode_envelope
from node.rpc.channels import Channels
from node.rpc.directory import GrpcDirectory
from node.rpc.exchange import GrpcTransport
from tests.support.treaty import QM, QN, Treaty, WallClock, listening, node_name
