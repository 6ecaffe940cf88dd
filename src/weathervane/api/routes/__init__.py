"""One router file a noun."""
