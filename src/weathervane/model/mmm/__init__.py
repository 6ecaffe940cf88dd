"""The media mix model."""
