"""How a client reaches us."""
