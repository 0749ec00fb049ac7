"""Deepgram's Voice Agent, or anything that speaks its protocol: another Voice Bridge, for example."""
