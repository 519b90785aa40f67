"""A space of prompts and settings: the plan of it, and what came of it as a grid."""
