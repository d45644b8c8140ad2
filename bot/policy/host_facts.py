"""Who runs the bot, and what users are told about that."""

from dataclasses import dataclass

from conversations.messages import Message, joined, verbatim


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the operator has set; "" for what is not set.

    operators       keys of the users who may decide for all servers
    privacy_url, terms_url  pages of the operator
    notice_url      the form by which anybody asks for the removal of a picture
    notice_address  an address for the same, as of e-mail
    forget_days     after which unused sessions, words and settings are erased; None: never
    left_server_days  after which a server that the bot left is forgotten; None: never
    """

    operators: tuple[str, ...] = ()
    privacy_url: str = ""
    terms_url: str = ""
    notice_url: str = ""
    notice_address: str = ""
    forget_days: float | None = None
    left_server_days: float | None = None

    @property
    def law(self) -> tuple[Message, ...]:
        """Where privacy and terms are explained, and where to ask for the removal of a picture."""
        ways = [verbatim(way) for way in (self.notice_url, self.notice_address) if way]
        lines = (
            Message("privacy_page", url=verbatim(self.privacy_url)) if self.privacy_url else None,
            Message("terms_page", url=verbatim(self.terms_url)) if self.terms_url else None,
            Message("notice_ways", ways=joined(" · ", *ways)) if ways else None,
        )
        return tuple(line for line in lines if line is not None)


NO_HOST = HostFacts()
