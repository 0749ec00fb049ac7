"""Functions without examples: how people would ask for them, made from name, description and schema."""

from bridge.core.hints import from_function
from bridge.upstreams.cascade.thinking.naming import invented, name_words


def _phrases(name: str, description: str, *required: str, **types: str) -> list[str]:
    properties = {parameter: {"type": types.get(parameter, "string")} for parameter in required}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return invented(from_function({"name": name, "description": description, "parameters": schema}))


def test_names_are_words_in_every_spelling() -> None:
    assert name_words("sendMessage") == name_words("send_message") == name_words("SendMessageIntent")


def test_a_verb_and_a_noun_are_said_with_other_verbs_too() -> None:
    phrases = _phrases("add_note", "Adds a note.", "text")
    assert {"add the note", "make the note {text}", "new the note to {text}", "note {text}"} <= set(phrases)


def test_what_is_got_is_asked_for() -> None:
    phrases = _phrases("get_weather", "Gets the weather.", "city")
    assert {"what is the weather", "what is the weather in {city}", "tell me the weather"} <= set(phrases)


def test_two_texts_are_said_one_after_the_other() -> None:
    phrases = _phrases("send_message", "Sends a message.", "recipient", "message")
    assert "send the message to {recipient} saying {message}" in phrases


def test_a_description_is_an_order() -> None:
    phrases = _phrases("buy_groceries", "Puts groceries on the shopping list.", "items")
    assert {"put {items} on the shopping list", "add {items} on the shopping list"} <= set(phrases)


def test_a_number_follows_its_noun() -> None:
    assert "set the volume to {percent}" in _phrases("set_volume", "Volume.", "percent", percent="integer")


def test_every_function_has_phrases() -> None:
    assert "frobnicate" in _phrases("frobnicate", "")
