"""The rules of a session. Pure: the standard library only, no clock, no random, no input or output."""
