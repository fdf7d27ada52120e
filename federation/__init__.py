"""The protocol: what Parties say to each other, what is allowed, what is signed, what happens next.

Values in, values out: no input or output, no clock, no await; the time is an argument named `now`.
"""
