"""Weather sources."""
