"""Forecasts measured: public demand sets, archived weather forecasts, worlds of known truth, time and memory."""
