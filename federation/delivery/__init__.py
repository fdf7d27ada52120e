"""When to send, again, and what was seen before."""
