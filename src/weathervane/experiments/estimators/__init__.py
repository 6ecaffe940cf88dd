"""Estimators of what the treated geos would have done: one file each, one interface."""
