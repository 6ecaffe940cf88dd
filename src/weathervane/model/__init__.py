"""Tables to curves and forecasts; pure; the only place with JAX."""
