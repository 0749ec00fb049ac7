"""The user of `BRIDGE_AUTH=none`, and where it may be served."""

import pytest

from bridge.auth.fixed import FixedUser, check_exposure
from bridge.errors import BadConfig
from bridge.settings import Settings


async def test_everybody_is_the_same_user() -> None:
    everybody = FixedUser("local")
    for credential in (None, "", "a Deepgram key"):
        assert (await everybody({}, credential)).user_id == "local"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_this_machine_may_be_served_without_credentials(host: str) -> None:
    check_exposure(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "talk.example.com", ""])
def test_others_only_by_intent(host: str) -> None:
    with pytest.raises(BadConfig, match="BRIDGE_ALLOW_ANYBODY"):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, allow_anybody=True))
