"""Where bytes become trusted values, and values become bytes that others can trust.

Everything here keeps one order: parse strictly, verify over the bytes that came, and only then believe. Nothing is encoded again
to be verified. What a value means, and who may do what, is decided in the rooms below.
"""
