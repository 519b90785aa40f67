"""The engine as a server: one ASGI application, in process and on 127.0.0.1."""
