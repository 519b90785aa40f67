"""A library's files on disk: written whole, locked, in a home that can be written."""
