"""What can go wrong in a study that a user can mend."""

from __future__ import annotations


class StudyError(ValueError):
    """A study asks for what was not measured; the message says what was."""
