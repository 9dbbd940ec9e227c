"""Where people sign up and in, without a database, mails, slow hashes and keys."""

from dataclasses import dataclass, field, replace

from application.actor import Person
from application.audit.record import Record
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
from application.identity.sign_in import BeginSession, EndSession, IssueTokens, RefreshSession, SignIn, Tokens
from application.identity.sign_up import ConfirmEmail, ResendCode, SignUp
from application.keys.keys import RevokeKeys
from application.notifications.post import PostMail
from application.workspaces.personal import OpenPersonalWorkspace
from domain.email import Email, parse_email
from domain.identity.mail import Mail
from domain.identity.user import User
from tests.fakes.catalog import PLAN, FakeCatalog
from tests.fakes.clock import NOON, SetClock
from tests.fakes.events import Mails
from tests.fakes.ids import CountedIds
from tests.fakes.people import (
    CountedTries,
    FakeLiveSessions,
    PlainPasswords,
    PlainSecrecy,
    PlainTokens,
)
from tests.fakes.proofs import PlainOneTimePasswords, PlainProviders
from tests.fakes.unit_of_work import FakeUnitOfWork

ADA = parse_email("ada@example.org")
GOOD = "a rather long password"
HERE = "203.0.113.9"
FREE = replace(PLAN, product="personal", key="free")


@dataclass
class Hall:
    clock: SetClock = field(default_factory=SetClock)
    new_id: CountedIds = field(default_factory=CountedIds)
    work: FakeUnitOfWork = field(default_factory=FakeUnitOfWork)
    passwords: PlainPasswords = field(default_factory=PlainPasswords)
    throttle: CountedTries = field(default_factory=CountedTries)
    tokens: PlainTokens = field(default_factory=PlainTokens)
    live: FakeLiveSessions = field(default_factory=FakeLiveSessions)

    def __post_init__(self) -> None:
        secrecy = PlainSecrecy()
        uow, clock, new_id, throttle = self.work, self.clock, self.new_id, self.throttle
        passwords, post = self.passwords, PostMail(secrecy)
        self.mails = Mails(self.work)
        send_code = SendCode(secrets=self.secret, secrecy=secrecy, post=post, clock=clock)
        try_code = TryCode(secrecy=secrecy, clock=clock)
        issue = IssueTokens(tokens=self.tokens, secrets=self.secret, clock=clock)
        self.sign_up = SignUp(
            uow=uow,
            passwords=passwords,
            throttle=throttle,
            send_code=send_code,
            post=post,
            clock=clock,
            new_id=new_id,
        )
        self.resend = ResendCode(uow=uow, throttle=throttle, send_code=send_code)
        open_workspace = OpenPersonalWorkspace(
            catalog=FakeCatalog.of(FREE, at=NOON), clock=clock, new_id=new_id
        )
        self.confirm = ConfirmEmail(
            uow=uow,
            passwords=passwords,
            throttle=throttle,
            try_code=try_code,
            open_workspace=open_workspace,
            clock=clock,
        )
        one_time = PlainOneTimePasswords()
        ask = AskSecondFactor(one_time=one_time, secrecy=secrecy, clock=clock)
        self.show_password = ShowPassword(uow=uow, passwords=passwords, throttle=throttle)
        self.enroll = EnrollSecondFactor(
            uow=uow,
            show_password=self.show_password,
            one_time=one_time,
            secrecy=secrecy,
            secrets=self.secret,
        )
        self.enable = EnableSecondFactor(
            uow=uow, throttle=throttle, ask=ask, post=post, secrets=self.secret, clock=clock
        )
        self.change_second = ChangeSecondFactor(
            uow=uow,
            show_password=self.show_password,
            throttle=throttle,
            ask=ask,
            post=post,
            secrets=self.secret,
        )
        self.providers = PlainProviders()
        self.begin_elsewhere = BeginElsewhere(
            providers=self.providers, secrets=self.secret, secrecy=secrecy, throttle=throttle, clock=clock
        )
        self.finish_elsewhere = FinishElsewhere(
            uow=uow,
            providers=self.providers,
            secrecy=secrecy,
            throttle=throttle,
            ask_second=ask,
            open_workspace=open_workspace,
            begin=BeginSession(post),
            issue=issue,
            post=post,
            clock=clock,
            new_id=new_id,
        )
        record = Record(clock, new_id)
        self.change_me = ChangeMe(uow, ReadMe(uow))
        self.export_me = ExportMe(uow)
        self.delete_me = DeleteMe(
            uow=uow, show_password=self.show_password, throttle=throttle, post=post, clock=clock
        )
        self.erase = EraseUsers(uow=uow, revoke_keys=RevokeKeys(clock, record), clock=clock, record=record)
        self.list_users = ListUsers(uow)
        self.look_up = LookUpUser(uow, ReadMe(uow))
        self.end_sessions = EndSessions(uow, clock)
        self.create_operator = CreateOperator(
            uow=uow, send_code=send_code, open_workspace=open_workspace, clock=clock, new_id=new_id
        )
        self.linked = LinkedAccounts(uow)
        self.sign_in = SignIn(
            uow=uow,
            passwords=passwords,
            throttle=throttle,
            ask_second=ask,
            begin=BeginSession(post),
            post=post,
            issue=issue,
            clock=clock,
            new_id=new_id,
        )
        self.refresh = RefreshSession(uow=uow, issue=issue, post=post, clock=clock)
        self.end = EndSession(uow=uow, clock=clock)
        self.request_reset = RequestReset(uow=uow, throttle=throttle, send_code=send_code)
        self.reset = ResetPassword(
            uow=uow, passwords=passwords, throttle=throttle, try_code=try_code, post=post, clock=clock
        )
        self.change_password = ChangePassword(
            uow=uow, passwords=passwords, throttle=throttle, post=post, clock=clock
        )
        self.authenticate = AuthenticatePerson(self.tokens, self.live)
        self.read_me = ReadMe(uow)
        self.list_sessions = ListSessions(uow, clock)

    def secret(self, count: int) -> bytes:
        """Another one each time."""
        return (self.new_id().bytes * 4)[-count:]

    @property
    def mail(self) -> Mail:
        return self.mails.sent[-1]

    def user(self, email: Email = ADA) -> User:
        return next(each for each in self.work.users.values() if each.email == email)

    async def confirmed(self, email: Email = ADA, password: str = GOOD) -> User:
        await self.sign_up(email, password, "Ada", address=HERE)
        return await self.confirm(email, self.mail.facts["code"], password, address=HERE)

    async def signed_in(self, email: Email = ADA, password: str = GOOD) -> tuple[Tokens, Person]:
        tokens = await self.sign_in(email, password, device="curl", address=HERE)
        return tokens, await self.authenticate(tokens.access, address=HERE)
