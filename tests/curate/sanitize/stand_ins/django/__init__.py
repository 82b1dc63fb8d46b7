"""The little of Django that a fix kind's pair runs on; Django is no dependency."""
