"""An agent made of separate parts: detect speech, hear it, think, speak. The parts are named in `parts.py`."""
