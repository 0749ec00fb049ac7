"""Who answers the person: Deepgram's Voice Agent, a cascade of separate parts, another bridge."""
