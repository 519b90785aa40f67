"""What an answer says of a task, in any spelling."""
