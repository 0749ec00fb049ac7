"""What the command `voice-bridge` can do beside serving."""
