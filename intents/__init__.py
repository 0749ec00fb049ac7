"""What the agent may ask for: specifications, checks and the code that does it."""
