"""The whole server, from socket to database."""
