"""What does not belong into a picture: a watermark that most pictures share, and text."""

from training.dataset.marks.text import text_in, texts_in
from training.dataset.marks.watermarks import marked

__all__ = ["marked", "text_in", "texts_in"]
