"""An agent made of separate parts: detect speech, hear, think, speak. The parts are named in `parts.py`."""
