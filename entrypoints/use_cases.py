"""Every use case, and what it is made of. Stateless, so one of each for the whole process."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide, provide_all

from application.audit.read import ReadAuditLog
from application.audit.record import Record
from application.catalog.publish import PublishCatalog
from application.events.dead_letters import (
    Bury,
    ListDeadLetters,
    ReplayAll,
    SettleDeadLetters,
    ShowDeadLetter,
)
from application.events.relay import Relay
from application.features.ask import AskModel
from application.features.books import RunBooks
from application.features.execute import ExecuteRun
from application.features.in_flight import InFlight
from application.features.ports import Models, Runs
from application.features.prepare import CountCall, PrepareRun
from application.features.queued import EndQueuedRun, LookAtRuns, QueueRuns
from application.features.run import RunFeature
from application.features.tell import TellRunEnd
from application.identity.authenticate import AuthenticatePerson
from application.identity.codes import SendCode, TryCode
from application.identity.elsewhere import BeginElsewhere, FinishElsewhere, LinkedAccounts
from application.identity.me import ChangeMe, ListSessions, ReadMe
from application.identity.operators import CreateOperator, EndSessions, ListUsers, LookUpUser
from application.identity.passwords import ChangePassword, RequestReset, ResetPassword
from application.identity.personal_data import DeleteMe, EraseUsers, ExportMe
from application.identity.second_factor import (
    AskSecondFactor,
    ChangeSecondFactor,
    EnableSecondFactor,
    EnrollSecondFactor,
    ShowPassword,
)
from application.identity.sign_in import BeginSession, EndSession, IssueTokens, RefreshSession, SignIn
from application.identity.sign_up import ConfirmEmail, ResendCode, SignUp
from application.identity.signing import RotateSigningKey
from application.keys.authenticate import Authenticate
from application.keys.keys import (
    ChangeKey,
    CreateKey,
    ListKeys,
    RevokeKey,
    RevokeKeys,
    RotateKey,
    SaveKey,
    TellKey,
)
from application.notifications.post import PostMail
from application.notifications.send import SendMail
from application.notifications.suppressions import NoteMailEvent
from application.usage.grants import GrantByHand, GrantCredits
from application.usage.offers import ListOffers
from application.usage.ports import Ledger
from application.usage.queries import ReadUsage
from application.usage.reserve import FindPayer, ReserveCredits
from application.usage.spend_limits import ListLimits, ReadShadow, RemoveLimit, SetLimit
from application.workspaces.deletion import DeleteWorkspace
from application.workspaces.invitations import (
    AcceptInvitation,
    Invite,
    ListInvitations,
    RevokeInvitation,
    SendInvitation,
)
from application.workspaces.members import (
    ChangeMember,
    ListMembers,
    RemoveMember,
    SetSeats,
    TransferOwnership,
)
from application.workspaces.personal import OpenPersonalWorkspace
from application.workspaces.teams import CreateTeam, ListMine, ReadTeam, UpdateWorkspace
from application.workspaces.workspaces import (
    CreateWorkspace,
    FreezeWorkspace,
    ListWorkspaces,
    UnfreezeWorkspace,
)
from entrypoints.settings import Settings


class UseCases(Provider):
    scope = Scope.APP

    catalog = provide_all(PublishCatalog)
    keys = provide_all(
        *(Authenticate, TellKey, CreateKey, SaveKey, ChangeKey, RotateKey, RevokeKey, RevokeKeys, ListKeys)
    )
    audit = provide_all(Record, ReadAuditLog)
    limits = provide_all(SetLimit, RemoveLimit, ListLimits, ReadShadow)
    identity = provide_all(
        *(AuthenticatePerson, SendCode, TryCode, SignUp, ResendCode, ConfirmEmail),
        *(AskSecondFactor, ShowPassword, EnrollSecondFactor, EnableSecondFactor, ChangeSecondFactor),
        *(BeginElsewhere, FinishElsewhere, LinkedAccounts),
        *(ChangeMe, ExportMe, DeleteMe, EraseUsers, ListUsers, LookUpUser, EndSessions, CreateOperator),
        *(IssueTokens, BeginSession, SignIn, RefreshSession, EndSession, ReadMe, ListSessions),
        *(RequestReset, ResetPassword, ChangePassword, OpenPersonalWorkspace, RotateSigningKey),
    )
    workspaces = provide_all(CreateWorkspace, FreezeWorkspace, UnfreezeWorkspace, ListWorkspaces)
    teams = provide_all(CreateTeam, ReadTeam, ListMine, UpdateWorkspace, DeleteWorkspace)
    members = provide_all(ListMembers, ChangeMember, RemoveMember, TransferOwnership, SetSeats)
    invitations = provide_all(*(SendInvitation, Invite, RevokeInvitation, ListInvitations, AcceptInvitation))
    usage = provide_all(ReserveCredits, FindPayer, GrantCredits, GrantByHand, ReadUsage, ListOffers)
    features = provide_all(RunFeature, AskModel, PrepareRun, CountCall)
    queued = provide_all(QueueRuns, ExecuteRun, LookAtRuns, EndQueuedRun, TellRunEnd)
    notifications = provide_all(PostMail, SendMail, NoteMailEvent)
    events = provide_all(Relay, Bury, ListDeadLetters, ShowDeadLetter, SettleDeadLetters, ReplayAll)

    @provide
    def run_books(self, ledger: Ledger, runs: Runs) -> RunBooks:
        return RunBooks(ledger=ledger, runs=runs)

    @provide
    async def in_flight(
        self, settings: Settings, _ledger: Ledger, _runs: Runs, _models: Models
    ) -> AsyncIterator[InFlight]:
        """Asks for what runs need, so that it is drained before any of that is closed."""
        runs = InFlight()
        yield runs
        await runs.drain(settings.shutdown_seconds)
