"""Foundations: errors, records, codec, runs, seeds and statistics."""
