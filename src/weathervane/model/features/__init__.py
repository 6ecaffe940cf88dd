"""Model columns, built from what was known at the time."""
