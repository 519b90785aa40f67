"""How states and results look, and where they are published."""
