from collections.abc import Mapping

from application.features.ports import Model, Models
from domain.catalog.feature import settable
from domain.features.errors import ModelNotConfigured


class RoutedModels(Models):
    """By alias as settings call it; ``otherwise`` serves every other alias, if there is such a model."""

    def __init__(self, models: Mapping[str, Model], *, otherwise: Model | None = None) -> None:
        self._models = dict(models)
        self._otherwise = otherwise

    def find(self, alias: str) -> Model:
        model = self._models.get(settable(alias), self._otherwise)
        if model is None:
            raise ModelNotConfigured(alias)
        return model
