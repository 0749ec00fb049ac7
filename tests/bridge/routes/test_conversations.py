"""Past conversations over HTTP: list, search, read, rename, export, delete."""

import asyncio

import pytest

from bridge.core.model import Call, Cursor, Cut, FunctionCall, Message, Outcome, Result, Role, Status
from bridge.routes.shapes import ConversationExport, ConversationPart, ConversationShape, EntryPart
from tests.bridge.routes.front import SETTINGS, Front, on_shared_loop, receive
from tests.bridge.routes.test_sessions import told

URL = "/api/v1/conversations"
BOB = {"Authorization": "Token user-bob"}


def said(*contents: str) -> list[Message]:
    """A talk: the user begins, the assistant answers, and so on."""
    return [Message((Role.USER, Role.ASSISTANT)[n % 2], content) for n, content in enumerate(contents)]


async def remember(bridge: Front, *contents: str, agent: str = "flux") -> str:
    """The id of a new conversation, all of it in the store."""
    conversation_id = (await bridge.remember(*said(*contents), agent=agent)).conversation.id
    await bridge.record.flusher.settle(conversation_id)
    return conversation_id


async def test_conversations_are_listed_in_parts_newest_first(bridge: Front) -> None:
    ids = [await remember(bridge, f"wish {n}") for n in range(5)]
    listed: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = await bridge.http.get(URL, params={"limit": 2, **after})
        part = ConversationPart.model_validate_json(answer.content)
        listed += [conversation.id for conversation in part.items]
        if part.next is None:
            break
        after = {"after": part.next}
    assert listed == ids[::-1]
    assert "user_id" not in answer.json()["items"][0]


async def test_they_are_found_by_agent_and_by_text(bridge: Front) -> None:
    spanish = await remember(bridge, "I want to learn Spanish", "Sure.")
    tutor = await remember(bridge, "Teach me fractions", agent="tutor")

    async def found(**query: str) -> list[str]:
        items = (await bridge.http.get(URL, params=query)).json()["items"]
        return [item["id"] for item in items]

    assert await found(text="spanish") == [spanish]
    assert await found(agent="tutor") == [tutor]
    assert await found(agent="tutor", text="spanish") == []


async def test_one_is_read_renamed_and_deleted(bridge: Front) -> None:
    conversation_id = await remember(bridge, "I want to learn Spanish")
    read = await bridge.http.get(f"{URL}/{conversation_id}")
    assert ConversationShape.model_validate_json(read.content).message_count == 1
    renamed = await bridge.http.patch(f"{URL}/{conversation_id}", json={"title": "  Español  "})
    assert renamed.json() == {**read.json(), "title": "Español"}
    deleted = await bridge.http.delete(f"{URL}/{conversation_id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    told(await bridge.http.get(f"{URL}/{conversation_id}"), 404, "BRIDGE_NOT_FOUND")


async def test_deleting_ends_the_session_that_talks_in_it(bridge: Front) -> None:
    async with bridge.talk() as client:
        await client.send(SETTINGS)
        ready = await receive(client, "BridgeReady")
        deleted = await bridge.http.delete(f"{URL}/{ready['conversation_id']}")
        assert deleted.status_code == 204
        assert (await receive(client, "Error"))["code"] == "BRIDGE_ENDED"
        async with asyncio.timeout(5):
            await client.wait_closed()
        assert client.protocol.close_rcvd is not None
        assert client.protocol.close_rcvd.code == 1000


async def test_entries_are_read_in_parts(bridge: Front) -> None:
    conversation_id = await remember(bridge, "a", "b", "c", "d", "e")
    first = await bridge.http.get(f"{URL}/{conversation_id}/messages", params={"limit": 3})
    assert [item["content"] for item in first.json()["items"]] == ["a", "b", "c"]
    rest = await bridge.http.get(
        f"{URL}/{conversation_id}/messages", params={"limit": 3, "after": first.json()["next"]}
    )
    EntryPart.model_validate_json(rest.content)
    assert [item["content"] for item in rest.json()["items"]] == ["d", "e"]
    assert rest.json()["next"] is None


async def test_a_cut_of_a_message_in_an_earlier_part_is_told_as_a_cut(bridge: Front) -> None:
    claim = await bridge.remember(*said("a", "b"), Cut(Cursor(1, 1), "b"))
    url = f"{URL}/{claim.conversation.id}/messages"
    whole = (await bridge.http.get(url)).json()["items"]
    assert [(item["kind"], item["interrupted"]) for item in whole] == [("message", False), ("message", True)]
    late = await bridge.http.get(url, params={"after": "1:1"})
    EntryPart.model_validate_json(late.content)
    assert [item["kind"] for item in late.json()["items"]] == ["cut"]


async def test_somebody_elses_is_not_there(bridge: Front) -> None:
    one = f"{URL}/{await remember(bridge, 'secret')}"
    attempts = [
        await bridge.http.get(one, headers=BOB),
        await bridge.http.get(f"{one}/messages", headers=BOB),
        await bridge.http.get(f"{one}/export", headers=BOB),
        await bridge.http.patch(one, headers=BOB, json={"title": "mine"}),
        await bridge.http.delete(one, headers=BOB),
    ]
    for attempt in attempts:
        told(attempt, 404, "BRIDGE_NOT_FOUND")
        assert "secret" not in attempt.text
    assert (await bridge.http.get(URL, headers=BOB)).json()["items"] == []
    assert (await bridge.http.get(one)).status_code == 200


@pytest.mark.parametrize("conversation_id", ["x", "%00", "..%2F..", "a" * 65, "%F0%9F%8E%A4"])
@on_shared_loop
async def test_an_id_that_can_be_nobodys_is_not_there(shared: Front, conversation_id: str) -> None:
    told(await shared.http.get(f"{URL}/{conversation_id}/messages"), 404, "BRIDGE_NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=0", "`limit`"),
        ("limit=201", "`limit`"),
        ("limit=many", "`limit`"),
        ("limit=1&limit=2", "twice"),
        ("text=%00", "`text`"),
        ("text=", "`text`"),
        ("text=" + "x" * 201, "`text`"),
        ("colour=red", "`colour` is not known here"),
    ],
)
@on_shared_loop
async def test_a_bad_query_is_told_by_its_parameter(shared: Front, query: str, names: str) -> None:
    assert names in told(await shared.http.get(f"{URL}?{query}"), 422, "BRIDGE_BAD_REQUEST")


@on_shared_loop
async def test_a_token_that_is_none_of_ours_is_refused(shared: Front) -> None:
    answer = await shared.http.get(URL, params={"after": "not-a-token"})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("after", ["x", "1", "1:-1", "1:99999999999999", "1:" + "9" * 40])
@on_shared_loop
async def test_a_bad_cursor_is_refused(shared: Front, after: str) -> None:
    conversation_id = await remember(shared, "a")
    answer = await shared.http.get(f"{URL}/{conversation_id}/messages", params={"after": after})
    assert "`after`" in told(answer, 422, "BRIDGE_BAD_REQUEST")


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "a\nb", "a\0b", "a\x85b", "\u200b\u202e", 5, None])
@on_shared_loop
async def test_a_bad_title_is_refused(shared: Front, title: object) -> None:
    conversation_id = await remember(shared, "a")
    answer = await shared.http.patch(f"{URL}/{conversation_id}", json={"title": title})
    assert "`title`" in told(answer, 422, "BRIDGE_BAD_REQUEST")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@on_shared_loop
async def test_a_foreign_page_can_change_nothing(shared: Front, method: str) -> None:
    one = f"{URL}/{await remember(shared, 'a')}"
    answer = await shared.http.request(method, one, headers={"Origin": "https://evil.example"})
    told(answer, 403, "BRIDGE_FOREIGN_ORIGIN")
    assert (await shared.http.get(one)).status_code == 200


@on_shared_loop
async def test_a_method_that_is_not_there_is_told_in_our_shape(shared: Front) -> None:
    answer = await shared.http.put(f"{URL}/x")
    told(answer, 405, "BRIDGE_METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["Allow"]
    told(await shared.http.get("/api/v1/nothing"), 404, "BRIDGE_NOT_FOUND")


# ── export ──────────────────────────────────────────────────────────────────────────────────


async def told_all(bridge: Front) -> str:
    done = Outcome(status=Status.TIMED_OUT, content="That took too long.\nSorry.", note="secret")
    claim = await bridge.remember(
        Message(Role.USER, "I want to\n# shout\n**Flux**, 12:00:00"),
        Call(request="r", function=FunctionCall("c1", "submit_goal_intent", '{"a": 1}')),
        Result(request="r", call_id="c1", name="submit_goal_intent", outcome=done),
        Message(Role.ASSISTANT, "Goal saved, anything else?"),
        Cut(Cursor(1, 3), "Goal saved"),
    )
    return claim.conversation.id


@on_shared_loop
async def test_a_conversation_is_exported_as_json(shared: Front) -> None:
    conversation_id = await told_all(shared)
    answer = await shared.http.get(f"{URL}/{conversation_id}/export")
    exported = ConversationExport.model_validate_json(answer.content)
    assert exported.conversation.id == conversation_id
    assert [message.root["kind"] for message in exported.messages] == ["message", "call", "result", "message"]
    name = f'attachment; filename="conversation-{conversation_id}.json"'
    assert answer.headers["Content-Disposition"] == name


@on_shared_loop
async def test_a_conversation_is_exported_as_markdown_and_nothing_said_passes_for_ours(shared: Front) -> None:
    answer = await shared.http.get(f"{URL}/{await told_all(shared)}/export", params={"format": "markdown"})
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith('.md"')
    lines = answer.text.splitlines()
    assert [line for line in lines if line.startswith(">")] == [
        "> I want to",
        "> # shout",
        "> **Flux**, 12:00:00",
        '> {"a": 1}',
        "> That took too long.",
        "> Sorry.",
        "> Goal saved, anything else?",
        "> Goal saved",
    ]
    headings = [line.partition(",")[0] for line in lines if line.startswith("**")]
    assert headings == ["**You**", "**submit_goal_intent**", "**submit_goal_intent**", "**flux**"]
    assert len([line for line in lines if line.startswith("# ")]) == 1
    assert "timed out" in answer.text
    assert "secret" not in answer.text


async def test_a_long_conversation_is_exported_whole(bridge: Front) -> None:
    conversation_id = await remember(bridge, *(f"line {n}" for n in range(1203)))
    answer = await bridge.http.get(f"{URL}/{conversation_id}/export")
    contents = [message["content"] for message in answer.json()["messages"]]
    assert contents == [f"line {n}" for n in range(1203)]


@on_shared_loop
async def test_an_unknown_format_is_refused(shared: Front) -> None:
    answer = await shared.http.get(f"{URL}/{await told_all(shared)}/export", params={"format": "pdf"})
    assert "`format`" in told(answer, 422, "BRIDGE_BAD_REQUEST")
