"""Rules and ports together: no gRPC, no SQL, no HTML."""
