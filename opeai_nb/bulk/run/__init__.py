"""Many points under way: workers, progress, and the workers of a Dask cluster."""
