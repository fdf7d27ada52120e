"""`gsp officers`: who may use the desk, and for what."""
