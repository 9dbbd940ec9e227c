from dataclasses import dataclass

from application.identity.ports import IdentityTx, Secrecy
from application.keys.ports import Secrets
from application.notifications.post import PostMail
from application.ports import Clock
from domain.identity.code import LASTS, Code, Purpose, code_text
from domain.identity.mail import Mail
from domain.identity.user import User

_RANDOM_BYTES = 16  # so many more than six digits hold that each of them is as likely


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCode:
    secrets: Secrets
    secrecy: Secrecy
    post: PostMail
    clock: Clock

    async def __call__(self, tx: IdentityTx, user: User, purpose: Purpose) -> None:
        text = code_text(int.from_bytes(self.secrets(_RANDOM_BYTES)))
        code = Code(
            user=user.id,
            purpose=purpose,
            digest=self.secrecy.digest(f"code:{purpose}:{user.id}", text),
            expires_at=self.clock.now() + LASTS,
        )
        await tx.codes.put(code)
        facts = {"code": text, "name": user.name}
        await self.post(tx, Mail(to=user.email.text, template=purpose, facts=facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class TryCode:
    """Counts the attempt in the caller's transaction, which has to end well for that."""

    secrecy: Secrecy
    clock: Clock

    async def __call__(self, tx: IdentityTx, user: User | None, purpose: Purpose, text: str) -> bool:
        """Whether it is right; it is used up then."""
        if user is None:
            return False
        kept = await tx.codes.get(user.id, purpose)
        if kept is None:
            return False
        if kept.accepts(self.secrecy.digest(f"code:{purpose}:{user.id}", text), self.clock.now()):
            await tx.codes.remove(user.id, purpose)
            return True
        await tx.codes.put(kept.failed())
        return False
