"""Scripts: the beginning, a turn, barge-in, and what is passed on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.model import AudioFormat, Cursor, Cut, Message, Modality, Role
from bridge.core.session import Phase, UnexpectedEvent
from tests.support.playbook import AGENT, HEARD, SPOKEN, Playbook, entry, live, said, settings


def ready(**changes: object) -> do.Ready:
    base = do.Ready(
        session_id="s",
        conversation_id="c",
        agent="flux",
        cursor=None,
        resumed=False,
        recovered=True,
        resume_token="t",
        audio_in=HEARD,
        audio_out=SPOKEN,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def opening(*, greet: bool = True, **changes: object) -> do.OpenAgent:
    base = do.OpenAgent(audio_in=HEARD, audio_out=SPOKEN, greet=greet, history=())
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_session_begins_with_welcome_settings_and_an_agent() -> None:
    book = Playbook()
    book >> ev.Attached(request_id="r", resume_token="t") << do.Tell(do.Welcome("r"))
    assert book.timers == {due.SettingsOverdue: 15.0}
    book >> settings() << do.Tell(ready()) << do.HoldSpeech() << opening()
    assert book.timers == {due.IdleReached: 600.0, due.LengthReached: 1800.0}
    book >> ev.AgentReady("a1") << do.PassReply() << do.Tell(do.Applied()) << do.PassSpeech()
    book.done()
    assert book.session.phase is Phase.LIVE


def test_a_client_that_asks_for_no_greeting_gets_none() -> None:
    book = Playbook()
    book >> ev.Attached(request_id="r", resume_token="t") << do.Tell
    book >> settings(wants_greeting=False) << do.Tell << do.HoldSpeech() << opening(greet=False)


def test_a_resumed_conversation_is_not_greeted_and_hands_the_agent_its_history() -> None:
    history = (entry(0, Message(Role.USER, "hi"), epoch=1),)
    book = Playbook(history=history)
    book >> ev.Attached(request_id="r", resume_token="t") << do.Tell
    (
        book
        >> settings(cursor=Cursor(1, 0))
        << do.Tell(ready(cursor=Cursor(1, 0), resumed=True))
        << do.HoldSpeech()
    )
    book << opening(greet=False, history=history)


def test_entries_after_the_clients_cursor_are_sent_again() -> None:
    history = tuple(entry(idx, Message(Role.USER, str(idx)), epoch=1) for idx in range(3))
    book = Playbook(history=history)
    book >> ev.Attached(request_id="r", resume_token="t") << do.Tell
    book >> settings(cursor=Cursor(1, 0)) << do.Tell
    (
        book
        << do.Tell(do.Replayed(history[1]))
        << do.Tell(do.Replayed(history[2]))
        << do.HoldSpeech
        << do.OpenAgent
    )


def test_a_cursor_that_means_nothing_is_said_to_mean_nothing() -> None:
    book = Playbook(history=(entry(0, Message(Role.USER, "hi"), epoch=1),))
    book >> ev.Attached(request_id="r", resume_token="t") << do.Tell
    book >> settings(cursor=Cursor(7, 7))
    (
        book
        << do.Tell(ready(cursor=Cursor(1, 0), resumed=True, recovered=False))
        << do.HoldSpeech
        << do.OpenAgent
    )


def test_text_is_told_only_once_it_is_durable() -> None:
    book = live()
    line = entry(0, Message(Role.USER, "learn Spanish"))
    book >> said("user", "learn Spanish") << do.Save(line) << do.PassReply()
    book.done()
    book.save() << do.Tell(do.Shown(line))
    book.done()


def test_entries_are_numbered_in_the_order_they_were_parsed() -> None:
    book = live()
    for number, role in enumerate(("user", "assistant", "assistant")):
        book >> said(role, "x")
        assert book.unsaved[number].cursor == Cursor(2, number)
        book.skip()


def test_control_does_not_wait_for_the_journal() -> None:
    book = live()
    book >> said("assistant", "Done.") << do.Save
    done = ev.AgentAudioDone()
    book >> done << do.EndReply() << do.Tell(done)
    book.save() << do.Tell
    book.done()


@pytest.mark.parametrize(
    "event",
    [
        ev.LatencyReported({"total_latency": 0.7}),
        ev.AgentWarned("SLOW_THINK_REQUEST", "slow"),
        ev.AgentSaidOther({"type": "SomethingNew", "x": 1}),
    ],
)
def test_what_a_session_does_not_need_is_relayed_untouched(event: do.Relayed) -> None:
    book = live() >> event << do.Tell(event)
    book.done()


def test_typed_text_is_stored_as_typed() -> None:
    book = live()
    book >> ev.ClientWrote("buy milk") << do.AskAgent(do.Hear("buy milk"))
    book >> said("user", "buy milk") << do.Save(entry(0, Message(Role.USER, "buy milk", Modality.TEXT)))
    book << do.PassReply()
    book.done()


def test_text_typed_before_the_agent_is_there_is_kept_for_it() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (book >> settings()).skip()
    book >> ev.ClientWrote("hello")
    book >> ev.AgentReady("a") << do.PassReply() << do.Tell(do.Applied())
    book << do.PassSpeech() << do.AskAgent(do.Hear("hello"))
    book.done()


def test_barge_in_drops_the_reply_until_the_users_text() -> None:
    book = live()
    spoke = ev.UserStartedSpeaking()
    book >> spoke << do.DropReply() << do.Tell(spoke) << do.EndReply()
    assert book.timers[due.StragglersOver] == 1.5
    book >> said("user", "stop") << do.Save << do.PassReply()
    assert due.StragglersOver not in book.timers


def test_a_barge_in_without_words_does_not_mute_the_agent_for_ever() -> None:
    book = live()
    (book >> ev.UserStartedSpeaking()).skip()
    book >> due.StragglersOver() << do.PassReply()


@pytest.mark.parametrize("event", [ev.TurnEnded("model"), ev.AgentThought("hm"), ev.AgentStartedSpeaking()])
def test_each_sign_of_a_new_reply_lets_sound_pass(event: do.Relayed) -> None:
    book = live()
    (book >> ev.UserStartedSpeaking()).skip()
    book >> event << do.Tell(event) << do.PassReply()
    book.done()


def test_an_interrupted_message_keeps_what_was_heard() -> None:
    book = live()
    (book >> said("assistant", "One two three four.")).skip()
    book.save().skip()
    book.sound(1, 4000)
    (book >> said("assistant", "Never heard.")).skip()
    book.save().skip()
    book.sound(1, 6000) >> ev.ClientPlayed(1900)
    (book >> ev.UserStartedSpeaking()).skip()
    book >> ev.ClientPlayed(2000)
    (
        book
        >> due.CutDue()
        << do.Save(entry(2, Cut(Cursor(2, 0), "One two")))
        << do.Save(entry(3, Cut(Cursor(2, 1), "")))
    )
    cut = book.unsaved[0]
    book.save() << do.Tell(do.Shown(cut))


def test_the_last_report_before_the_client_hangs_up_marks_the_message_it_talked_into() -> None:
    book = live()
    (book >> said("assistant", "One two three four.")).skip()
    book.save().skip()
    book.sound(1, 4000) >> ev.ClientPlayed(1900)
    (book >> ev.UserStartedSpeaking()).skip()
    book >> ev.ClientPlayed(2000)
    book >> ev.ClientLeft(1000) << do.Save(entry(1, Cut(Cursor(2, 0), "One two"))) << do.PlaySilence()
    assert due.CutDue not in book.timers
    book.done()


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_reply_is_cut_where_the_client_hung_up_or_closed_its_page(code: int) -> None:
    book = live()
    (book >> said("assistant", "One two three four.")).skip()
    book.save().skip()
    book.sound(1, 4000) >> ev.ClientPlayed(2000)
    book >> ev.ClientLeft(code) << do.Save(entry(1, Cut(Cursor(2, 0), "One two"))) << do.PlaySilence()
    book.done()
    assert due.CutDue not in book.timers


@pytest.mark.parametrize(("code", "played_ms"), [(1000, 4000), (1001, 4000), (1000, None), (1006, 2000)])
def test_what_was_heard_whole_or_may_still_be_played_is_not_cut(code: int, played_ms: int | None) -> None:
    book = live()
    (book >> said("assistant", "One two three four.")).skip()
    book.save().skip()
    book.sound(1, 4000)
    if played_ms is not None:
        book >> ev.ClientPlayed(played_ms)
    book >> ev.ClientLeft(code) << do.PlaySilence()
    book.done()


def test_a_reply_that_begins_right_after_a_barge_in_is_none_of_the_cut() -> None:
    book = live()
    (book >> said("assistant", "One two three four.")).skip()
    book.save().skip()
    book.sound(1, 1000) >> ev.ClientPlayed(500)
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> said("user", "stop")).skip()
    (book >> said("assistant", "All right.")).skip()
    book.sound(2, 300) >> ev.ClientPlayed(100)
    book >> due.CutDue() << do.Save(entry(3, Cut(Cursor(2, 0), "One two")))
    book.done()
    book.sound(2, 600) >> ev.ClientPlayed(600)
    (book >> ev.UserStartedSpeaking()).skip()
    book >> due.CutDue()
    book.done()


def test_a_reply_heard_to_its_end_is_not_marked() -> None:
    book = live()
    (book >> said("assistant", "One two.")).skip()
    book.sound(1, 1000) >> ev.ClientPlayed(1000)
    (book >> ev.UserStartedSpeaking()).skip()
    book >> due.CutDue()
    book.done()


def test_a_client_that_reports_no_playback_marks_nothing() -> None:
    book = live()
    (book >> said("assistant", "One two.")).skip()
    (book.sound(1, 9000) >> ev.UserStartedSpeaking()).skip()
    book >> due.CutDue()
    book.done()


def test_settings_come_once() -> None:
    book = live() >> settings()
    book << do.Tell(do.Failed("SETTINGS_ALREADY_APPLIED", "Settings were sent before."))
    book.done()


@pytest.mark.parametrize(
    "event",
    [
        ev.ClientWrote("x"),
        ev.ClientAnswered("1", "f", "x"),
        ev.ClientPlayed(1),
        ev.ClientKeptAlive(),
        ev.ClientPinged("1"),
    ],
)
def test_settings_come_first(event: ev.PeerEvent) -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    book >> event << do.Tell(do.Failed("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "Send Settings first."))


def test_a_ping_is_answered_at_once() -> None:
    book = live() >> ev.ClientPinged("7")
    book << do.Tell(do.Ponged("7"))
    book.done()


def test_sound_before_settings_is_refused() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    book >> ev.ClientSpokeEarly()
    book << do.Tell(do.Failed("BINARY_MESSAGE_BEFORE_SETTINGS", "Send Settings before sound."))


def test_a_client_that_never_sends_settings_is_sent_away() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (
        book
        >> due.SettingsOverdue()
        << do.Tell
        << do.CloseClient(1000, "no_settings")
        << do.CloseAgent()
        << do.Finish
    )
    assert book.session.phase is Phase.CLOSED


def test_a_message_that_cannot_be_read_is_answered_and_the_session_goes_on() -> None:
    book = live() >> ev.ClientErred("UNPARSABLE_CLIENT_MESSAGE", "no JSON")
    book << do.Tell(do.Failed("UNPARSABLE_CLIENT_MESSAGE", "no JSON"))
    assert book.session.phase is Phase.LIVE


def test_a_clients_own_agent_block_is_not_used_and_it_is_told() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    book >> settings(agent={"think": {}}) << do.Tell
    book << do.Tell(
        do.Warned("BRIDGE_SETTINGS_MANAGED", "The server owns the agent's settings; yours are not used.")
    )
    book << do.HoldSpeech << opening()


def test_a_clients_own_agent_block_is_used_where_the_agent_allows_it() -> None:
    book = Playbook(agent=replace(AGENT, client_settings=True))
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    block = {"think": {"prompt": "mine"}}
    book >> settings(agent=block) << do.Tell << do.HoldSpeech << opening(client_agent=block)


def test_the_id_of_a_stored_agent_is_refused_and_settings_may_follow() -> None:
    book = Playbook(agent=replace(AGENT, client_settings=True))
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    refused = do.Failed("AGENT_ID_NOT_SUPPORTED", "Send the agent's settings, not the id of stored ones.")
    book >> settings(agent={"id": "5f5d"}) << do.Tell(refused)
    book.done()
    book >> settings() << do.Tell << do.HoldSpeech << do.OpenAgent


def test_steering_is_the_servers() -> None:
    book = live() >> ev.ClientSteered("UpdatePrompt", {"type": "UpdatePrompt"}) << do.Tell
    turn = {"type": "ForceEndTurn"}
    book >> ev.ClientSteered("ForceEndTurn", turn) << do.AskAgent(do.Steer(turn))


def test_a_peers_event_out_of_place_is_passed_over_and_our_own_is_our_fault() -> None:
    book = Playbook()
    book >> ev.AgentReady("a")
    book.done()
    with pytest.raises(UnexpectedEvent, match="EntrySaved while waiting"):
        book.session.handle(ev.EntrySaved(entry(0, Message(Role.USER, "x"))), book.now)


def test_dropped_sound_is_told() -> None:
    book = live() >> ev.SoundDropped("client", 400)
    book << do.Tell(do.Warned("BRIDGE_AUDIO_DROPPED", "400 ms of sound to the client were dropped."))
    told = "400 ms of sound to the agent were dropped: it came faster than 1.5 times real time."
    book >> ev.SoundDropped("agent", 400, True) << do.Tell(do.Warned("BRIDGE_AUDIO_DROPPED", told))


def test_another_format_on_return_opens_the_agent_anew() -> None:
    book = live()
    (book >> ev.ClientLeft()).skip()
    (book >> ev.Attached(request_id="r2", resume_token="t2")).skip()
    phone = AudioFormat("mulaw", 8000)
    book >> settings(audio_in=phone, audio_out=phone) << do.Tell << do.CloseAgent() << do.HoldSpeech()
    book << opening(audio_in=phone, audio_out=phone, greet=False)
