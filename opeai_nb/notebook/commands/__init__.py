"""The sub-commands of `%imagine`: words that stand alone, each a small answer."""
