"""Proof for third parties."""
