"""The language of each user. Interactions carry it and messages do not, so the last one is stored."""

from bot.discord_chat.ids import user_key
from bot.i18n.catalog import ENGLISH, match_locale
from conversations.store.session_store import SessionStore

KEPT = 10_000


class UserLocales:
    """Languages of users as codes such as "de"; a cache over the store."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._known: dict[int, str] = {}

    async def of(self, user: int) -> str:
        """The language that the user last used Discord in; English if unknown."""
        if user not in self._known:
            self._keep(user, await self._store.users.language(user_key(user)) or ENGLISH)
        return self._known[user]

    async def learn(self, user: int, locale: object) -> str:
        """Store the locale of an interaction and return its language."""
        language = match_locale(locale)
        if language != await self.of(user):
            self._keep(user, language)
            await self._store.users.set_language(user_key(user), language)
        return language

    def _keep(self, user: int, language: str) -> None:
        self._known[user] = language
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
