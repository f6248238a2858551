"""`loss.csv`, `loss.png` and, by a setting, TensorBoard or trackio: what the losses did, step by step."""

import csv
import importlib.util
from pathlib import Path
from typing import Any, Protocol

from PIL import Image, ImageDraw

from training.errors import InvalidJob

COLUMNS = ("step", "loss", "average_loss", "learning_rate", "seconds_a_step")


class Tracker(Protocol):
    """Somewhere that curves are sent to."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Send values of one step."""
        ...

    def close(self) -> None:
        """Send what is still buffered, and end the run."""
        ...


class LossLog:
    """The rows of `loss.csv`. Rows beyond the step that a continuation starts from are dropped."""

    def __init__(self, folder: Path, start: int, tracker: "Tracker | None" = None) -> None:
        self._path, self._tracker = folder / "loss.csv", tracker
        rows = [row for row in read_rows(self._path) if row[0] <= start]
        with self._path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *map(_texts, rows)])

    def add(self, step: int, loss: float, average: float, rate: float, seconds: float) -> None:
        """Write one row."""
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(_texts([step, loss, average, rate, seconds]))
        if self._tracker:
            self._tracker.log(step, {"loss": loss, "average_loss": average, "learning_rate": rate})

    def draw(self) -> None:
        """Write `loss.png`."""
        rows = read_rows(self._path)
        if len(rows) > 1:
            chart([(row[0], row[1]) for row in rows], [(row[0], row[2]) for row in rows]).save(
                self._path.with_suffix(".png")
            )

    def close(self) -> None:
        """Draw once more and let the tracker go."""
        self.draw()
        if self._tracker:
            self._tracker.close()


def read_rows(path: Path) -> list[list[float]]:
    """The rows of a `loss.csv`; a last line cut short by a kill is left out."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [[float(cell) for cell in row] for row in list(csv.reader(file))[1:] if len(row) == len(COLUMNS)]


def _texts(row: list[float]) -> list[str]:
    return [str(int(row[0])), f"{row[1]:.6f}", f"{row[2]:.6f}", f"{row[3]:.3e}", f"{row[4]:.4f}"]


def chart(faint: list[tuple[float, float]], strong: list[tuple[float, float]]) -> Image.Image:
    """Two curves over steps as a picture of 1200 x 600: each value, and their average."""
    scale, left, right, top, bottom = 2, 90, 30, 30, 60
    wide, high = 1200 * scale, 600 * scale
    image = Image.new("RGB", (wide, high), "#fffdf8")
    draw = ImageDraw.Draw(image)
    ys = sorted(y for _, y in faint)
    low, top_value = 0.0, max(ys[int(len(ys) * 0.98)] if len(ys) > 50 else ys[-1], 1e-9) * 1.1
    first, last = faint[0][0], max(faint[-1][0], faint[0][0] + 1)
    font = _font(17 * scale)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x = left + (point[0] - first) / (last - first) * (1200 - left - right)
        y = 600 - bottom - (min(point[1], top_value) - low) / (top_value - low) * (600 - top - bottom)
        return x * scale, y * scale

    for tick in range(5):
        value = low + (top_value - low) * tick / 4
        x, y = at((first, value))
        draw.line([(x, y), (wide - right * scale, y)], "#e8e0cf", scale)
        draw.text((x - 12 * scale, y), f"{value:.3f}", "#6b6455", font, anchor="rm")
        step = first + (last - first) * tick / 4
        draw.text((at((step, low))[0], high - bottom * scale + 14 * scale), f"{step:.0f}", "#6b6455", font, anchor="mt")
    draw.line([at(point) for point in faint], "#dcc48a", 2 * scale, joint="curve")
    draw.line([at(point) for point in strong], "#a5341f", 4 * scale, joint="curve")
    draw.text((left * scale, 4 * scale), "loss by step, and its average", "#22201c", font)
    return image.resize((1200, 600), Image.Resampling.LANCZOS)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def require_tracker(kind: str) -> None:
    """Raises InvalidJob where the package of this tracker is not installed."""
    if kind != "none" and importlib.util.find_spec(kind) is None:
        raise InvalidJob(f"training.tracker = {kind}: that package is missing; pip install {kind}, or choose none")


def open_tracker(kind: str, folder: Path, name: str) -> Tracker | None:
    """TensorBoard or trackio, None for "none". Call `require_tracker` before."""
    if kind == "none":
        return None
    return _TensorBoard(folder) if kind == "tensorboard" else _Trackio(name)


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / "tensorboard"))

    def log(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


class _Trackio:
    def __init__(self, name: str) -> None:
        import trackio  # type: ignore[import-not-found, unused-ignore]

        self._trackio: Any = trackio
        trackio.init(project="samurai-badges", name=name)

    def log(self, step: int, values: dict[str, float]) -> None:
        self._trackio.log(values, step=step)

    def close(self) -> None:
        self._trackio.finish()
