"""Colorizing: one picture, a folder, or a raster too large for memory."""
