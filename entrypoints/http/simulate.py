"""The header CueBX-Simulate: a customer's tests see each refusal without waiting for its cause."""

from http import HTTPStatus
from typing import Annotated

from litestar.params import HeaderParameter

from domain.usage.simulate import Simulate
from entrypoints.http.problems import Refusal

NAME = "CueBX-Simulate"
SimulateHeader = Annotated[
    Simulate | None,
    HeaderParameter(
        name=NAME, required=False, description="With a test key: be refused as a live key might be"
    ),
]


def simulation(value: bytes | None) -> Simulate | None:
    """Raises Refusal."""
    if value is None:
        return None
    try:
        return Simulate(value.decode("ascii"))
    except ValueError:
        known = ", ".join(Simulate)
        raise Refusal(HTTPStatus.BAD_REQUEST, "simulation_unknown", f"{NAME} is one of {known}") from None
