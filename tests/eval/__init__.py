"""How well spoken wishes are understood, measured through the whole bridge: `make eval`."""
