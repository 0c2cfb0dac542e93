"""Floor 5. Tools that walk a recorded program: what ran, how long it took."""

from fastnn.teaching.profile import Profile, Row, profile

__all__ = ["Profile", "Row", "profile"]
