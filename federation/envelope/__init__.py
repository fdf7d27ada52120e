"""The sealed message."""
