"""One running participant: it reads clocks, sockets, disks and screens, and asks `federation` what to do."""

__version__ = "0.2.0"
