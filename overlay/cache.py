"""Keeps drawn layers, the least recently used given up first, up to a fixed number of bytes; safe in threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from overlay.drawing.paint import Layer


class LayerCache:
    """Layers by key, `most_bytes` in all. One larger than `largest` bytes (a print's) is drawn and not kept."""

    def __init__(self, most_bytes: int, largest: int) -> None:
        self._most = most_bytes
        self._largest = largest
        self._held = 0
        self._layers: OrderedDict[Hashable, Layer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, draw: Callable[[], Layer]) -> Layer:
        """The layer kept under `key`, or the one `draw` makes. It is shared: never paint on it."""
        with self._lock:
            if key in self._layers:
                self._layers.move_to_end(key)
                return self._layers[key]
        layer = draw()
        with self._lock:
            if key not in self._layers and _bytes(layer) <= self._largest:
                self._layers[key] = layer
                self._held += _bytes(layer)
                while self._held > self._most:
                    _, given_up = self._layers.popitem(last=False)
                    self._held -= _bytes(given_up)
        return layer

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._layers.clear()
            self._held = 0


def _bytes(layer: Layer) -> int:
    return layer.box.width * layer.box.height * 4
