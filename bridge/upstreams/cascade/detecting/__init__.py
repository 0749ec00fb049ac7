"""Voice detectors: is somebody speaking now? Silero when it is installed, else the energy of the sound."""

import asyncio

from bridge.upstreams.cascade.detecting.energy import EnergyDetector
from bridge.upstreams.cascade.detecting.silero import SileroDetector
from bridge.upstreams.cascade.parts import VoiceDetector


async def make_detector() -> VoiceDetector:
    """The best detector there is, for one session; made in a thread, for loading the model takes 60 ms."""
    try:
        return await asyncio.to_thread(SileroDetector)
    except ImportError:
        return EnergyDetector()
