"""What other nodes' clocks say, beside what this one says: for the operator's eyes, and to see whether a jump of ours was right.

At every call a node tells its time behind the reply. A clock that is wrong stops certificates and envelopes, and each operator
believes the own one. So both are shown, before it comes to that.
"""

from __future__ import annotations

from dataclasses import dataclass

from federation import limits
from federation.identity import NodeName
from federation.trust.chain import utc_text
from node import limits as node_limits
from node.use_cases.desk_values import Check, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Two clocks at one moment: Unix seconds.

    Attributes:
        told: what the other node said.
        asked, heard: what this one said before and after; the other's time lies between them when both clocks are right.
    """

    told: float
    asked: float
    heard: float

    @property
    def offset_s(self) -> float:
        """How far the other clock is ahead, without what the way may have taken."""
        return self.told - min(max(self.told, self.asked), self.heard)


class PeerClocks:
    """The newest of each node that was called. Nothing in it is trusted."""

    def __init__(self) -> None:
        self._heard: dict[NodeName, Heard] = {}

    def hear(self, node: NodeName, clocks: Heard) -> None:
        """Keep what a node told; the one not heard of for longest is forgotten when there are too many."""
        self._heard.pop(node, None)
        self._heard[node] = clocks
        if len(self._heard) > node_limits.CHANNELS_MAX:
            del self._heard[next(iter(self._heard))]

    def confirm(self, *, since: float) -> bool:
        """Whether more of the nodes that were called since then, by this clock, agree with it than not.

        Nodes that lie can make a clock believed that jumped ahead, which nobody doubted before; they cannot make one jump.
        """
        heard = [abs(one.offset_s) <= limits.CLOCK_TOLERANCE_S for one in self._heard.values() if one.asked >= since]
        return sum(heard) * 2 > len(heard)

    def check(self) -> Check:
        """What `gsp doctor` says of them."""
        name = "clocks of other nodes"
        off = {node.dns: one for node, one in self._heard.items() if abs(one.offset_s) > limits.CLOCK_OFFSET_WARN_S}
        if not off:
            return Check(name=name, health=Health.GOOD, words=f"{len(self._heard)} of them agree with this one")
        words = ", ".join(
            f"{dns} said {utc_text(one.told)} when it was {utc_text(one.heard)} here" for dns, one in sorted(off.items())
        )
        hint = "one of the clocks is wrong: compare this machine's with a third one; beyond five minutes nothing arrives any more"
        return Check(name=name, health=Health.WARNING, words=words, hint=hint)
