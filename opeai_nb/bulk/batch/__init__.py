"""Rows in, pictures and a manifest out."""
