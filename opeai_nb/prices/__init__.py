"""What pictures cost, by prices that the user gives; nothing is known here, nothing is guessed."""
