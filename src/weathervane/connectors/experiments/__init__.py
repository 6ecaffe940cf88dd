"""Experiment designs and panels of other tools."""
