"""A result as bytes."""
