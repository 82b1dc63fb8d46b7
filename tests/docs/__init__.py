"""Docs that cannot go stale: generated parts, commands, links, examples."""
