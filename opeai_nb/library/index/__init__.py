"""The index of what is kept: derived, in SQLite, and never believed more than the files."""
