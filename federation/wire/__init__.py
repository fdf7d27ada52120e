"""Values to protobuf and back: the only place in `federation` that knows generated code.

Decoding is strict and total: any bytes give a value or `Malformed`. A message is refused when it holds an unknown field, an unset
or unknown enum, or is not the deterministic encoding of what it parses to, so there is one spelling of each value and nothing can
ride along (docs/protocol.md, "Encoding"). Whether a value may be believed is decided in `federation.boundary`.
"""
