"""Thin HTTP and WebSocket endpoints."""
