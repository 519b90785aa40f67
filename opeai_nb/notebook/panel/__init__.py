"""The panel: explore with widgets, keep what you find. `opeai_nb.panel()` or `%imagine panel`."""
