from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a workspace. It has exactly one owner."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
