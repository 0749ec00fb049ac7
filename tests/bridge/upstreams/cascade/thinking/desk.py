"""A handler of the invented help desk's."""

from bridge.core.model import JSON, Outcome, Status
from bridge.ports import Job, Transaction


async def delete_account(transaction: Transaction, job: Job, arguments: JSON) -> Outcome:
    """Would delete the account; the tests stop before it."""
    return Outcome(status=Status.REFUSED, content="That is not possible here.")
