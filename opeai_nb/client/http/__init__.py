"""The edge to httpx: sockets, bodies that stream, and where their pictures go."""
