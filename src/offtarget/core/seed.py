"""Seeds derived by name, so that adding one use of randomness never shifts another."""

import hashlib


def derive_seed(*parts: object) -> int:
    """Return a 63-bit seed that depends on all `parts` and nothing else."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
