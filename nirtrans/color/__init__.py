"""Ranges and colour spaces between files and networks."""
