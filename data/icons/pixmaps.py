#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the tray's icons for hosts that do not find them by name: SVG in, a C header of ARGB out.

  pixmaps.py OUTPUT SVG...

It knows what these icons are made of and nothing more: filled paths of M, L, H, V, C and Z in
absolute coordinates, on 16 by 16. That spares the service a library for pictures.
"""

import os
import re
import sys
import xml.etree.ElementTree

SIZES = (22, 44)
FINE = 4  # samples across one pixel
FOREGROUND = '#8f8f8f'  # seen on light and on dark panels; a theme colours the real icon
COUNTS = {'M': 2, 'L': 2, 'H': 1, 'V': 1, 'C': 6, 'Z': 0}


def curve(start, numbers, steps=8):
    (x0, y0), (x1, y1, x2, y2, x3, y3) = start, numbers
    for step in range(1, steps + 1):
        t = step / steps
        a, b, c, d = (1 - t)**3, 3 * (1 - t)**2 * t, 3 * (1 - t) * t**2, t**3
        yield a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3


def polygons(text):
    """Lists of corners, one for each closed part of the path."""
    words = re.findall(r'[A-Za-z]|-?[\d.]+', text)
    found = []
    while words:
        command = words.pop(0)
        numbers = [float(words.pop(0)) for _ in range(COUNTS[command])]
        if command == 'M':
            found.append([tuple(numbers)])
        elif command == 'L':
            found[-1].append(tuple(numbers))
        elif command == 'H':
            found[-1].append((numbers[0], found[-1][-1][1]))
        elif command == 'V':
            found[-1].append((found[-1][-1][0], numbers[0]))
        elif command == 'C':
            found[-1].extend(curve(found[-1][-1], numbers))
    return found


def crossings(polygon, y):
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1]):
        if (y0 <= y) != (y1 <= y):
            yield x0 + (y - y0) * (x1 - x0) / (y1 - y0)


def cover(polygon, size):
    """How many samples of each pixel lie within."""
    counts = [[0] * size for _ in range(size)]
    for row in range(size * FINE):
        edges = sorted(crossings(polygon, (row + 0.5) * 16 / (size * FINE)))
        for begin, end in zip(edges[::2], edges[1::2]):
            for column in range(size * FINE):
                if begin <= (column + 0.5) * 16 / (size * FINE) < end:
                    counts[row // FINE][column // FINE] += 1
    return counts


def draw(path, size):
    """Octets in the order A, R, G, B. The parts of these icons do not overlap."""
    pixels = bytearray(size * size * 4)
    for element in xml.etree.ElementTree.parse(path).iter('{http://www.w3.org/2000/svg}path'):
        colour = element.get('fill') if element.get('class') else FOREGROUND
        rgb = bytes.fromhex(colour[1:])
        for polygon in polygons(element.get('d')):
            for y, row in enumerate(cover(polygon, size)):
                for x, count in enumerate(row):
                    if count:
                        at = (y * size + x) * 4
                        alpha = min(255, pixels[at] + count * 255 // FINE**2)
                        pixels[at:at + 4] = bytes([alpha]) + rgb
    return pixels


def main():
    output, *icons = sys.argv[1:]
    lines = [
        '/* Made by data/icons/pixmaps.py. ARGB in network byte order. */',
        f'static const int pixmap_sizes[] = {{ {", ".join(map(str, SIZES))} }};'
    ]
    for icon in icons:
        name = re.search(r'-(\w+)-symbolic\.svg$', os.path.basename(icon))[1]
        for size in SIZES:
            data = ''.join(f'\\{octet:03o}' for octet in draw(icon, size))
            rows = '\n'.join(f'  "{data[i:i + 96]}"' for i in range(0, len(data), 96))
            lines.append(f'static const char pixmap_{name}_{size}[] =\n{rows};')
    with open(output, 'w', encoding='ascii') as file:
        file.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
