"""From files or generated scenes to batches of source and target."""
