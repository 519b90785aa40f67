"""Pictures given as input: what a person has, made upright, bare and small enough to travel."""
