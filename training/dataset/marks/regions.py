"""What hangs together in a mask, measured: boxes, areas, lengths of outlines. NumPy alone, by runs of pixels."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Regions:
    """One entry a region. Boxes are half open; `runs` counts its pieces on all rows, `columns` those in all columns."""

    left: Ints
    top: Ints
    right: Ints
    bottom: Ints
    area: Ints
    runs: Ints
    columns: Ints
    pixel: Ints
    """One pixel of the region, as an index into the flat mask."""

    def only(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Regions":
        """Those that a mask or indices pick."""
        return Regions(*(getattr(self, each.name)[which] for each in fields(self)))


def regions_of(mask: NDArray[np.bool_]) -> Regions:
    """The regions of a mask, H x W, whose pixels touch by a side."""
    high, wide = mask.shape
    framed = np.zeros((high, wide + 2), np.int8)
    framed[:, 1:-1] = mask
    steps = np.diff(framed, axis=1)
    row, start = np.nonzero(steps == 1)
    end = np.nonzero(steps == -1)[1]
    label = _joined(row, start, end, wide + 2)
    count = int(label.max()) + 1 if len(label) else 0

    def least(values: Ints) -> Ints:
        out = np.full(count, high + wide, np.int64)
        np.minimum.at(out, label, values)
        return out

    def most(values: Ints) -> Ints:
        out = np.zeros(count, np.int64)
        np.maximum.at(out, label, values)
        return out

    first = np.zeros(count, np.int64)
    first[label] = row * wide + start
    runs = np.bincount(label, minlength=count)
    area = np.bincount(label, weights=end - start, minlength=count).astype(np.int64)
    tops = mask.copy()
    tops[1:] &= ~mask[:-1]
    columns = np.bincount(label, weights=_sums(tops, row, start, end), minlength=count).astype(np.int64)
    return Regions(least(start), least(row), most(end), most(row + 1), area, runs, columns, first)


def _sums(mask: NDArray[np.bool_], row: Ints, start: Ints, end: Ints) -> Ints:
    """How many pixels of `mask` lie in each run."""
    total = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int64)
    np.cumsum(mask, axis=1, out=total[:, 1:])
    return total[row, end] - total[row, start]


def _joined(row: Ints, start: Ints, end: Ints, wide: int) -> Ints:
    """The number of the region that each run belongs to: runs of neighbouring rows that overlap belong together."""
    number = len(row)
    if not number:
        return np.zeros(0, np.int64)
    begin, close = row * wide + start, row * wide + end
    # For each run, the runs of the next row from the first that ends behind its start to the last before its end.
    low = np.searchsorted(close, begin + wide, side="right")
    high = np.searchsorted(begin, close + wide, side="left")
    times = np.maximum(high - low, 0)
    one = np.repeat(np.arange(number), times)
    other = np.arange(len(one)) - np.repeat(np.cumsum(times) - times, times) + np.repeat(low, times)
    parent = np.arange(number)
    while True:
        a, b = parent[one], parent[other]
        if np.array_equal(a, b):
            break
        small = np.minimum(a, b)
        np.minimum.at(parent, a, small)
        np.minimum.at(parent, b, small)
        while not np.array_equal(parent[parent], parent):
            parent = parent[parent]
    return np.unique(parent, return_inverse=True)[1].astype(np.int64)
