"""A Merkle tree in memory that grows through `Frontier` and keeps what a store would keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from federation.trust.merkle import Frontier, leaf_hash


@dataclass
class Tree:
    """Grows by `append` and remembers which nodes a proof has `read`, as (level, index), until a test clears the list."""

    frontier: Frontier = field(default_factory=Frontier)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    read: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, size: int) -> Tree:
        tree = cls()
        for number in range(size):
            tree.append(b"leaf %d" % number)
        return tree

    def copy(self) -> Tree:
        return Tree(frontier=self.frontier, nodes={**self.nodes})

    def append(self, content: bytes) -> None:
        self.frontier, completed = self.frontier.append(leaf_hash(content))
        for level, index, value in completed:
            assert (level, index) not in self.nodes, "a complete node was written twice"
            self.nodes[level, index] = value

    def read_node(self, level: int, index: int) -> bytes:
        self.read.append((level, index))
        return self.nodes[level, index]

    @property
    def size(self) -> int:
        return self.frontier.size

    @property
    def root(self) -> bytes:
        return self.frontier.root()

    @property
    def leaves(self) -> list[bytes]:
        return [self.nodes[0, index] for index in range(self.size)]
