"""Generate images from a notebook cell through the OPE.AI platform."""

__version__ = "0.1.0"
