"""Sound as numbers: PCM16 helpers, companding, sample rates. numpy only; no I/O."""
