"""What was about to be sent and how far it came: one folder for each unfinished request."""
