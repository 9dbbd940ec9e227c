from collections.abc import Iterable

from application.identity.elsewhere import Provider, Providers
from domain.identity.elsewhere import ProviderMissing


class RegisteredProviders(Providers):
    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self._providers = {each.name: each for each in providers}

    def get(self, name: str) -> Provider:
        found = self._providers.get(name)
        if found is None:
            raise ProviderMissing
        return found
