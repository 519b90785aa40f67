"""Pixels and shapes: the canvas, smooth noise, colours, masks, and the finished file."""
