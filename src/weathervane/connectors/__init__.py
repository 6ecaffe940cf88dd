"""The outside world, one file a source."""
