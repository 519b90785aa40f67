"""How requests are written and answers are read: JSON in, values out."""
