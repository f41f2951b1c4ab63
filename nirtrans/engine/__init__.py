"""Drives systems through training: the only backward and step, exact resume, moving average, several processes."""
