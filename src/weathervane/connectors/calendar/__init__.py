"""Holidays and retail events."""
