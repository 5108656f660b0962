#!/usr/bin/env python3
"""Turns a QR code of half blocks on a screen into a picture (PGM).

  qr_picture.py SCREEN PICTURE
"""

import re
import sys

SCALE = 4
HALVES = {" ": (0, 0), "\u2580": (1, 0), "\u2584": (0, 1), "\u2588": (1, 1)}

text = open(sys.argv[1], encoding="utf-8").read().replace("\r", "")
inverse = "\x1b[7m" in text
text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
lines = [x for x in text.split("\n") if re.search("[\u2580\u2584\u2588]", x)]
lines = [x for x in lines if set(x.strip()) <= set(HALVES)]
width = max(len(x) for x in lines)
rows = []
for line in lines:
    cells = [HALVES[c] for c in line.ljust(width)]
    rows.append([c[0] for c in cells])
    rows.append([c[1] for c in cells])
# What is drawn is light, unless the terminal was asked for the opposite.
light = 0 if inverse else 1
with open(sys.argv[2], "wb") as out:
    edge = 4
    side = (width + 2 * edge) * SCALE
    blank = [light] * (width + 2 * edge)
    rows = [blank] * edge + [[light] * edge + r + [light] * edge for r in rows] + [blank] * edge
    out.write(b"P5 %d %d 255\n" % (side, len(rows) * SCALE))
    for row in rows:
        line = b"".join(bytes([255 if v == light else 0]) * SCALE for v in row)
        out.write(line * SCALE)
