import click
from dishka import AsyncContainer

from application.usage.ports import CHARGED_TWICE, Auditor, Finding
from domain.ids import account_text, lot_text, reservation_text
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show


def _row(finding: Finding) -> dict[str, object]:
    expected, found = finding.figures
    counted = finding.fault == CHARGED_TWICE
    return {
        "account_id": account_text(finding.account),
        "fault": finding.fault,
        "expected": finding.expected if counted else expected,
        "found": finding.found if counted else found,
        "lot_id": None if finding.lot is None else lot_text(finding.lot),
        "reservation_id": None
        if finding.reservation is None
        else reservation_text(finding.account, finding.reservation),
    }


@click.command()
@click.option(
    "--timeout",
    "seconds",
    type=click.IntRange(1, 86_400),
    default=3600,
    show_default=True,
    help="Seconds that it may take.",
)
@as_json
@with_services("audit_books")
async def audit(services: AsyncContainer, *, seconds: int, as_json: bool) -> None:
    """Recount every account from its reservations, charges and grants.

    Names each one that does not add up, and then exits with 1.
    """
    findings = await (await services.get(Auditor)).audit(seconds=seconds)
    show([_row(each) for each in findings], as_json=as_json, empty="The books add up.")
    if findings:
        raise SystemExit(1)
