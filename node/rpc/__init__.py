"""The gRPC adapter: servicers, clients, interceptors."""
