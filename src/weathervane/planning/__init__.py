"""Curves, forecast and limits to a plan."""
