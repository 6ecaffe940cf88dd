"""Geo experiments: designs that can be defended, and read-outs whose p-value and interval never disagree."""
