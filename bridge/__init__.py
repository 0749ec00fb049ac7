"""Voice Bridge: a server between people who talk and the voice agent that answers them."""

__version__ = "0.1.0"
