"""The asyncio shell around the core: sessions as they run."""
