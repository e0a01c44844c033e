"""The boxes, texts and wires of an SVG at their places on the page, read from the file alone."""

import re
from typing import NamedTuple
from xml.etree import ElementTree

from PIL import ImageFont

SVG = "{http://www.w3.org/2000/svg}"


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    kind: str
    parent: int
    params: int = 0

    def overlaps(self, other, by=0.5):
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > by and down > by


class Page:
    """Everything that is drawn, in the coordinates of the page."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)
        self.boxes, self.texts, self.wires = [], [], []
        self._walk(self.root, 0.0, 0.0, 0)

    def _walk(self, element, x, y, parent):
        moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        kind = element.get("class", "")
        if kind in ("layer", "framed", "whole"):
            rect = element.find(f"{SVG}rect")
            self.boxes.append(placed(rect, x, y, kind, parent, int(element.get("data-params", 0))))
            parent = len(self.boxes)
        for child in element:
            if child.tag == f"{SVG}text":
                self.texts.append((measured(child, x, y, parent), "".join(child.itertext())))
            if child.tag == f"{SVG}path" and child.get("class") == "wire":
                self.wires.append([(x + a, y + b) for a, b in points(child.get("d"))])
            self._walk(child, x, y, parent)

    def of_kind(self, *kinds):
        return [box for box in self.boxes if box.kind in kinds]


def placed(rect, x, y, kind, parent, params):
    left, top = x + float(rect.get("x")), y + float(rect.get("y"))
    return Box(left, top, left + float(rect.get("width")), top + float(rect.get("height")), kind, parent, params)


def measured(element, x, y, parent):
    """The room that a text takes, measured with a font of Pillow's."""
    size = float(element.get("font-size"))
    left, base = x + float(element.get("x")), y + float(element.get("y"))
    width = ImageFont.load_default(size).getlength("".join(element.itertext()))
    return Box(left, base - 0.75 * size, left + width, base + 0.2 * size, "text", parent)


def points(path):
    """Points along a path of M, V and C with absolute coordinates."""
    found = []
    for letter, numbers in re.findall(r"([MVC])([^MVC]*)", path):
        values = [float(value) for value in numbers.split()]
        if letter == "M":
            found.append((values[0], values[1]))
        elif letter == "V":
            x, y = found[-1]
            found += [(x, y + (values[0] - y) * step / 8) for step in range(1, 9)]
        else:
            found += curve(found[-1], *[(values[i], values[i + 1]) for i in (0, 2, 4)])
    return found


def curve(a, b, c, d):
    weights = [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3) for t in [s / 16 for s in range(1, 17)]]
    return [tuple(sum(w * p[axis] for w, p in zip(ws, (a, b, c, d), strict=True)) for axis in (0, 1)) for ws in weights]
