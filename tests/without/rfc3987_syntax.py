"""Not there: jsonschema checks URIs by it, which nothing here asks for.

On import it builds 38 parsers, for three seconds in each process that loads Jupyter: the workers
of a run, JupyterLab, nbclient, Sphinx. jsonschema does without where it is not installed.
"""

from __future__ import annotations

raise ImportError(__doc__)
