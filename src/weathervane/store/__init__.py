"""The only place that touches state/ and the database."""
