"""Thumbnails, contact sheets and labelled grids: Pillow alone, no request and no notebook."""
