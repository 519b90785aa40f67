"""What a command has to do with the terminal, or the script, that called it."""
