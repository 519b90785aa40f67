"""The HTTP API: how requests are read and answers are written."""
