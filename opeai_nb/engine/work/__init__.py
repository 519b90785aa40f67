"""What is behind the API: generations, the threads that paint them, and where they are kept."""
