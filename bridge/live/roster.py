"""The sessions of this process: by their id, their user, their conversation."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.live.live import Live

ELSEWHERE = "BRIDGE_TAKEN_OVER", "The conversation goes on somewhere else."


class Roster(dict[str, Live]):
    """Session id → session, until nothing of it runs any more."""

    def of(self, user_id: str) -> list[Live]:
        """Those of that user that are not over, the oldest first."""
        mine = (live for live in self.values() if live.facts.user_id == user_id)
        return [live for live in mine if not live.runner.finished.is_set()]

    def talking_in(self, conversation_id: str) -> list[Live]:
        """Those of that conversation; more than one only while it is taken over."""
        return [live for live in self.values() if live.facts.conversation_id == conversation_id]

    def owned(self) -> Mapping[str, int]:
        """The conversations that have a session here, and its epoch."""
        return {live.facts.conversation_id: live.runner.session.epoch for live in self.values()}

    def end_older(self, conversation_id: str, epoch: int) -> None:
        """Another process has the conversation now, or another session of its user's has the place."""
        for live in self.talking_in(conversation_id):
            if live.runner.session.epoch < epoch:
                live.end(*ELSEWHERE)

    def queued_bytes(self) -> tuple[int, int]:
        """What waits for the sockets of all clients, and of all their agents."""
        waiting = [live.runner.queued_bytes for live in self.values()]
        return sum(client for client, _ in waiting), sum(agent for _, agent in waiting)
