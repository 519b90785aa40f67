"""What a panel shows of the library: its pages, the picture on the stage, marks and prompts."""
