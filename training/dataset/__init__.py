"""The data set: 15 to 25 pictures of one style with captions beside them. Checked, mended, packed; no torch."""

from training.dataset.captions import CaptionRule
from training.dataset.checks import Finding, check, load_data_set
from training.dataset.pack import pack
from training.dataset.pictures import DataSet, Picture, read_data_set
from training.dataset.repair import repair

__all__ = ["CaptionRule", "DataSet", "Finding", "Picture", "check", "load_data_set", "pack", "read_data_set", "repair"]
