"""What is kept: one JSON record beside its pictures."""
