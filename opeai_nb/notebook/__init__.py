"""SHOW: the magic, the badge and the result view. Loaded by `%load_ext opeai_nb`."""
