"""What mails say. The first line is the subject."""

from domain.identity.mail import Mail

_TEXTS = {
    "confirm": """Your code: {code}
Hello {name},

{code} is the code that confirms your e-mail address. It works for 10 minutes, once.

If you did not sign up, ignore this mail: without the code nothing happens.
""",
    "already_registered": """You have an account already
Somebody, perhaps you, tried to sign up with this address, which has an account.

If it was you: sign in, or ask for a new password. If it was not, nothing has changed.
""",
    "reset": """Your code for a new password: {code}
Hello {name},

{code} is the code for a new password. It works for 10 minutes, once.

If you did not ask for it, ignore this mail: your password stays as it is.
""",
    "invitation": """{inviter} invites you to {workspace}
{inviter} invites you to the workspace {workspace}.

Sign in with this address, or sign up with it, and accept with this token:

{token}

It works for 7 days, once, and for this address alone. If you do not know them, ignore this mail.
""",
    "deletion_asked": """Your account will be deleted on {date}
Hello {name},

your account will be deleted on {date}, with all that is held about you. Until then you can sign in and
take that back. All other sessions were ended.

If that was not you, sign in, take it back, and change your password.
""",
    "deletion_cancelled": """Your account stays
The deletion of your account was taken back: nothing is deleted.
""",
    "identity_linked": """You can sign in with {provider} now
Somebody signed in with an account at {provider} that has this address, and it was linked to your account.

If that was not you, sign in, unlink it, and look after your account at {provider}.
""",
    "second_factor_on": """A second factor was turned on
From now on, signing in asks for a code of your app, too. All other sessions were ended.

If that was not you, reset your password, and ask whoever runs this service for help.
""",
    "second_factor_off": """The second factor was turned off
From now on, signing in asks for your password alone.

If that was not you, reset your password at once: whoever did it knows it.
""",
    "recovery_code_used": """A recovery code was used
Somebody signed in with a recovery code, on "{device}", from {address}. It does not work again.

If that was not you, reset your password at once: whoever did it knows it.
""",
    "refresh_reuse": """A session of yours was ended
A refresh token of your session on "{device}" was used a second time, from {address}.

Tokens work once, so it may have been stolen: the session was ended. Sign in again, and change your password
if that was not you.
""",
    "account_parked": """The books of {account} do not add up
The hourly audit found that the books of the account {account} (workspace {workspace}) do not add up:
{fault}. Expected: {expected}. Found: {found}.

The account is parked: it spends nothing until you have looked, and run `cuebx accounts unpark`. What it holds
is still settled. Everybody else goes on.
""",
    "credits_80": """{workspace} has used 80 % of its credits
{workspace} has used more than 80 % of its credits for {product}: {left} of {granted} are left.

Calls are refused when none are left.
""",
    "credits_100": """{workspace} has used all of its credits
{workspace} has used all of its credits for {product}. Calls are refused until there are new ones.
""",
}


def text_of(mail: Mail) -> tuple[str, str]:
    """Subject and text."""
    subject, _, text = _TEXTS[mail.template].format_map(mail.facts).partition("\n")
    return subject, text
