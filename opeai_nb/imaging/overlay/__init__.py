"""One picture laid over another inside a region, and whether it has moved there."""
