"""What is kept: one JSON record beside its pictures, and the index of them."""
