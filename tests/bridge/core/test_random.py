"""Any order of events: no fault of ours, one result for each call, nothing after the end, always an end."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.model import Call, Entry, Outcome, Result, Status
from bridge.core.session import RULES, Phase, Session
from bridge.core.timers import Timer
from tests.support.playbook import AGENT, HEARD, SPOKEN, START, call, said

PEER_EVENTS: list[ev.PeerEvent] = [
    ev.ClientSettings(audio_in=HEARD, audio_out=SPOKEN, wants_greeting=True),
    ev.ClientSettings(audio_in=HEARD, audio_out=HEARD, wants_greeting=False),
    ev.ClientSettings(
        audio_in=HEARD,
        audio_out=SPOKEN,
        wants_greeting=True,
        agent={"x": 1},
        functions=frozenset({"open_door"}),
    ),
    ev.ClientWrote("typed"),
    ev.ClientAnswered("f3", "open_door", "open"),
    ev.ClientPlayed(100),
    ev.ClientSteered("UpdatePrompt", {}),
    ev.ClientErred("UNPARSABLE_CLIENT_MESSAGE", "?"),
    ev.ClientSpokeEarly(),
    ev.ClientLeft(1006),
    ev.AgentReady("agent-1"),
    ev.AgentReady("agent-2"),
    said("user", "typed"),
    said("user", "spoken"),
    said("assistant", "one two three"),
    ev.UserStartedSpeaking(),
    ev.TurnEnded(),
    ev.AgentAudioDone(),
    ev.CallsRequested((call("f1"), call("f2", "list_tasks"))),
    ev.CallsRequested((call("f1"),)),
    ev.CallsRequested((call("f3", "open_door"), call("f4", "unknown"))),
    ev.CallsCancelled(("f1", "f3")),
    ev.AgentErred("X", "x"),
    ev.AgentErred("X", "x", retry=False),
    ev.AgentErred("X", "x", fatal=False),
    ev.AgentLeft(),
    ev.AgentLeft(retry=False),
    ev.AgentLeft(reason="BRIDGE_UPSTREAM_BUSY"),
]


class World:
    """What the shell would do: timers, the journal, intents. It reports only what can happen."""

    def __init__(self, *, client_settings: bool) -> None:
        agent = replace(AGENT, client_settings=client_settings)
        self.session = Session(session_id="s", conversation_id="c", user_id="u", agent=agent, epoch=1)
        self.timers: dict[type[Timer], Timer] = {}
        self.journal: list[Entry] = []
        self.running: list[Call] = []
        self.saved: list[Entry] = []
        self.finished = False
        self.cut_off = False
        """The end did not wait for what was under way."""
        self.now = ev.Moment(0.0, START)

    def step(self, event: ev.Event | ev.PeerEvent) -> None:
        for command in self.session.handle(event, self.now):
            assert not (self.finished and isinstance(command, do.Save | do.RunIntent | do.OpenAgent)), command
            match command:
                case do.Schedule(_, timer):
                    self.timers[type(timer)] = timer
                case do.Unschedule(timer_type):
                    self.timers.pop(timer_type, None)
                case do.Save(entry):
                    self.journal.append(entry)
                case do.RunIntent(run):
                    assert run not in self.running
                    self.running.append(run)
                case do.Finish():
                    assert not self.finished, "finished twice"
                    self.finished = True
                case _:
                    pass
        unruled = [timer for timer in self.timers if timer not in RULES[self.session.phase]]
        assert not unruled, f"{unruled} may fire while {self.session.phase}"

    def save(self, *, fails: bool) -> None:
        if self.journal:
            entry = self.journal.pop(0)
            if not fails:
                self.saved.append(entry)
            self.step(ev.SaveFailed(entry, "BRIDGE_JOURNAL_FAILED") if fails else ev.EntrySaved(entry))

    def finish_intent(self, status: Status = Status.DONE) -> None:
        if self.running:
            done = self.running.pop(0)
            outcome = Outcome(status=status, content="done")
            self.step(ev.IntentFinished(done.request, done.function.id, outcome))

    def run_noted(self) -> None:
        """The oldest result that says it was noted gets its outcome."""
        for place, entry in enumerate(self.saved):
            if isinstance(entry.what, Result) and entry.what.outcome.status is Status.NOTED:
                outcome = Outcome(status=Status.REFUSED, content="no")
                self.saved[place] = replace(entry, what=replace(entry.what, outcome=outcome))
                self.step(ev.NotedCallRun(self.saved[place]))
                return

    def fire(self, choice: int) -> None:
        if self.timers:
            kind = sorted(self.timers, key=lambda timer: timer.__name__)[choice % len(self.timers)]
            self.cut_off |= kind is due.CloseOverdue
            self.step(self.timers.pop(kind))

    def run_out(self) -> None:
        """Everything that is under way comes to its end."""
        while self.journal or self.running:
            self.save(fails=False)
            self.finish_intent()


STEPS = st.lists(
    st.one_of(
        st.sampled_from(PEER_EVENTS),
        st.tuples(st.just("attach")),
        st.tuples(st.just("save"), st.booleans()),
        st.tuples(st.just("intent"), st.sampled_from([Status.DONE, Status.NOTED])),
        st.tuples(st.just("noted")),
        st.tuples(st.just("timer"), st.integers(0, 20)),
        st.tuples(st.just("end"), st.sampled_from(["", "BRIDGE_TAKEN_OVER"]), st.sampled_from([0.0, 20.0])),
    ),
    max_size=60,
)


@settings(max_examples=1500, deadline=None)
@given(STEPS, st.booleans(), st.booleans())
def test_whatever_happens_the_rules_hold(steps: list[object], client_settings: bool, begun: bool) -> None:
    world = World(client_settings=client_settings)
    world.step(ev.Attached(request_id="r", resume_token="t"))
    if begun:
        world.step(PEER_EVENTS[2])
        world.step(ev.AgentReady("agent-1"))
    for step in steps:
        match step:
            case ("attach",):
                world.step(ev.Attached(request_id="r", resume_token="t"))
            case ("save", bool() as fails):
                world.save(fails=fails)
            case ("intent", Status() as status):
                world.finish_intent(status)
            case ("noted",):
                world.run_noted()
            case ("timer", int() as choice):
                world.fire(choice)
            case ("end", str() as code, float() as patience):
                world.step(ev.EndRequested(code, patience=patience))
            case ev.PeerEvent():
                world.step(step)
            case _:
                raise AssertionError(step)
    world.step(ev.EndRequested(""))
    world.run_out()
    assert world.finished or world.timers.keys() == {due.CloseOverdue}
    while not world.finished:
        world.fire(0)
        world.run_out()
    assert world.session.phase is Phase.CLOSED
    expect_one_result_each(world)


def expect_one_result_each(world: World) -> None:
    """Cursors have no doubles; a call that was saved has exactly one result, unless the client owed it."""
    cursors = [entry.cursor for entry in world.saved]
    assert cursors == sorted(set(cursors))
    calls = [entry.what for entry in world.saved if isinstance(entry.what, Call)]
    results = [(x.what.request, x.what.call_id) for x in world.saved if isinstance(x.what, Result)]
    assert len(results) == len(set(results))
    for one in calls:
        key = one.request, one.function.id
        excused = world.cut_off or not one.ours or key in lost_results(world)
        assert key in results or excused, f"no result for {key}"


def lost_results(world: World) -> set[tuple[str, str]]:
    """Results whose save failed on purpose: they are with the ended calls all the same."""
    return set(world.session.calls.ended)
