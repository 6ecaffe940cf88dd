"""Demand forecasts and their record."""
