"""The way to a server: proxies, names, certificates, sockets, and when time is up."""
