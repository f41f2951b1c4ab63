"""Losses, one function each; a System multiplies them by its own weights."""
