"""The language of `%%imagine`: its line, its options, its prompt, and what runs a cell."""
