"""What an answer says went wrong, and what that means."""
