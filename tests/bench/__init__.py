"""`make bench`: what the server costs and how much later sound arrives because of it."""
