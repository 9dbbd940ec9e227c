from domain.usage.limits import Limit, RateLimited, Standing
from domain.usage.simulate import Simulate, SimulationRefused

_USED_UP = Standing(Limit("minute", 0, 60), 0, 60)


def simulate_before(simulate: Simulate | None, *, test: bool, run: bool) -> None:
    """What comes before the ledger. Raises RateLimited where that is asked for, and SimulationRefused."""
    if simulate is None:
        return
    if not test or (simulate is Simulate.UPSTREAM_ERROR and not run):
        raise SimulationRefused
    if simulate is Simulate.RATE_LIMITED:
        raise RateLimited.of((_USED_UP,))
