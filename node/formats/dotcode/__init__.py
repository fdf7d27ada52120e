"""DotCode (AIM ISS DotCode, revisions 3.0 and 4.0): from a picture to text, which no open library does.

dots        blobs in a picture
lattice     the lattice that blobs lie on, and what stands at each of its places
symbol      from dots to codewords: folding, patterns of five dots in nine, masks
field       Reed-Solomon over GF(113)
message     from codewords to text: code sets A, B and C, shifts, binary, FNC1
reader      all of it on one picture

A wrong code names a wrong pack, so everything that is not sure is "not read": see `symbol` for what is demanded.
"""
