"""Options and a prompt under a name of the user's own, from the file that holds the prices."""
