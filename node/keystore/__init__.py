"""Where a node's keys are kept, and the one place that gives them: in a file under a passphrase, or in a PKCS #11 module."""

from node.keystore.custody import PIN, Custody, HeldCa
from node.keystore.file import Cost, Keystore, read_passphrase, replace_file

__all__ = ["PIN", "Cost", "Custody", "HeldCa", "Keystore", "read_passphrase", "replace_file"]
