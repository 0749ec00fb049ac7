"""Say a WAV file to Voice Bridge, print the talk, keep the answer as answer.wav.

    pip install websockets
    python examples/talk.py question.wav [http://127.0.0.1:8000]

The file has 16 bits a sample and one channel.
"""

import asyncio
import json
import sys
import urllib.request
import wave

from websockets.asyncio.client import ClientConnection, connect

FRAME_SECONDS = 0.02


async def main(question: str, server: str = "http://127.0.0.1:8000") -> None:
    """Talk until the agent has answered."""
    begun = start(server)
    with wave.open(question) as file:
        rate, sound = file.getframerate(), file.readframes(file.getnframes())
    headers = {"Authorization": f"Token {begun['token']}"}
    async with connect(begun["websocket_url"], additional_headers=headers, proxy=None) as socket:
        pcm = {"encoding": "linear16", "sample_rate": rate}
        settings = {"type": "Settings", "audio": {"input": pcm, "output": pcm}, "agent": {}}
        await socket.send(json.dumps(settings))
        speaking = asyncio.create_task(speak(socket, sound, rate))
        answer = await listen(socket)
        speaking.cancel()
    with wave.open("answer.wav", "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(answer)


def start(server: str) -> dict[str, str]:
    """A new conversation: where to connect, and a token that is good for it once."""
    wish = urllib.request.Request(
        f"{server}/api/v1/voice/session", b"{}", {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(wish) as response:
        return dict(json.load(response))


async def speak(socket: ClientConnection, sound: bytes, rate: int) -> None:
    """Send the question as a microphone would, then silence: without it no turn ends."""
    size = int(rate * FRAME_SECONDS) * 2
    for begin in range(0, len(sound), size):
        await socket.send(sound[begin : begin + size].ljust(size, b"\0"))
        await asyncio.sleep(FRAME_SECONDS)
    while True:
        await socket.send(bytes(size))
        await asyncio.sleep(FRAME_SECONDS)


async def listen(socket: ClientConnection) -> bytes:
    """Print the talk until the answer is over; its sound."""
    answer, heard = b"", False
    async for frame in socket:
        if isinstance(frame, bytes):
            answer += frame
            continue
        message = json.loads(frame)
        match message["type"]:
            case "ConversationText":
                heard = heard or message["role"] == "user"
                print(f"{message['role']}: {message['content']}")
            case "FunctionCallResponse":
                print(f"[{message['name']}: {message['status']}]")
            case "Error" | "Warning":
                print(f"{message['type']}: {message['description']}")
            case "AgentAudioDone" if heard:
                break
    return answer


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
