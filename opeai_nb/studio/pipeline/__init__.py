"""How a job is made: decide, send, receive, keep."""
