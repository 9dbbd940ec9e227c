from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Missing


@dataclass(eq=False)
class PlanMissing(Missing):
    """``version`` is None where the newest was asked for."""

    code: ClassVar[str] = "plan_missing"
    product: str
    plan: str
    version: int | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f"@{self.version}"
        return f"there is no plan {self.product}/{self.plan}{version}"


@dataclass(eq=False)
class ProductMissing(Missing):
    """``version`` is None where the newest was asked for."""

    code: ClassVar[str] = "product_missing"
    product: str
    version: int | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f"@{self.version}"
        return f"there is no product {self.product}{version}"


@dataclass(eq=False)
class FeatureMissing(Missing):
    code: ClassVar[str] = "feature_missing"
    feature: str

    def __str__(self) -> str:
        return f"there is no feature {self.feature!r}"
