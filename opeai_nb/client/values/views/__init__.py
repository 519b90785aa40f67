"""How values look: as a mimebundle for a notebook, as text, as JSON for programs."""
