"""Whether a run shows what is there or sends: the rule, and what it is told of places and takes."""
