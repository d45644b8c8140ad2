"""The people of benchmarks/crash.py: what they do, whether they were answered, and what went wrong."""

import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from PIL import Image

from tests.support.bot_process import colour_of, marks_on
from tests.support.discord_room import results_to
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.people import gallery_of, text_of
from tests.support.discord_server.world import Channel, Message, Person
from tests.support.english import english, english_pattern

SIDE_PX = 16
ANSWERED_WITHIN_S = 5.0  # an interaction; else the bot was killed meanwhile
GIVEN_UP = english("tried_twice")
QUESTION = "may <@"
ANSWERS = ("consent_once", "consent_no", "consent_denied", "tried_twice")  # notes that stay in a channel


def picture_of(name: str) -> bytes:
    """A small picture in a colour of its own."""
    file = io.BytesIO()
    Image.new("RGB", (SIDE_PX, SIDE_PX), colour_of(name)).save(file, "PNG")
    return file.getvalue()


@dataclass
class Consent:
    """An edit of a picture that its owner only posted; they answer the question in words."""

    asked: Message
    words: str
    answer: str
    answered: Message | None = None


@dataclass
class Talker:
    """One person in one channel and its threads, who speaks again only when the last request was answered."""

    discord: DiscordServer
    name: str
    channel: Channel = field(init=False)
    place: Channel = field(init=False)  # the channel, later a thread of it
    person: Person = field(init=False)
    said: list[tuple[Message, list[str]]] = field(default_factory=list)  # each with all words up to it
    consents: list[Consent] = field(default_factory=list)
    given_up: int = 0
    is_erasing: bool = False
    is_erased: bool = False

    def __post_init__(self) -> None:
        self.channel = self.place = self.discord.world.add_channel(f"channel-{self.name}")
        self.person = self.discord.world.add_person(f"person-{self.name}")

    # -- what they do -------------------------------------------------------------------------------------

    def speak(self, words: str, chance: Random) -> None:
        """Ask for one more edit of the last result, the first time of a picture."""
        self.forget_given_up()
        if not self.said:
            files = {"picture.png": picture_of(self.name)}
            asked = self.discord.say(self.channel, self.person, words, files=files, mention=True)
            self.said.append((asked, [words]))
            return
        last, story = self.said[-1]
        result = results_to(self.discord, last)[0]
        if self.place is self.channel and chance.random() < 0.05:
            self.place = self.discord.open_thread(result)
        if result.channel is self.place and chance.random() < 0.5:
            asked = self.discord.say(self.place, self.person, words, reply_to=result)
        else:  # goes on from the current version there, else from what the thread hangs on
            asked = self.discord.say(self.place, self.person, words, mention=True)
        self.said.append((asked, [*story, words]))

    def be_asked(self, words: str, answer: str) -> None:
        """Post a picture that somebody else then wants to edit."""
        name = f"{self.name}-{len(self.consents)}"
        files = {"cat.png": picture_of(f"cat-{name}")}
        cat = self.discord.say(self.channel, self.person, "my cat", files=files)
        asker = self.discord.world.add_person(f"asker-{name}")
        asked = self.discord.say(self.channel, asker, words, reply_to=cat, mention=True)
        self.consents.append(Consent(asked, words, answer))

    def answer_questions(self) -> None:
        """Answer what the bot asks this person, once."""
        for consent in self.consents:
            there = [m for m in self.discord.answers_to(consent.asked) if QUESTION in text_of(m)]
            if there and consent.answered is None and not self.is_erasing:
                consent.answered = self.discord.say(
                    self.channel, self.person, consent.answer, reply_to=there[0]
                )

    async def erase_all(self) -> None:
        """Delete all their data by the slash command, tried again until the bot lives to say that it did."""
        self.is_erasing = True
        while not self.is_erased:
            try:
                self.is_erased = await self._ask_for_erasure()
            except TimeoutError:
                continue

    async def _ask_for_erasure(self) -> bool:
        """Whether the bot says that nothing is left; TimeoutError if it was killed instead."""
        asked = self.discord.slash(self.channel, self.person, "privacy delete")
        answer = await self.discord.wait_for(lambda: asked.answer, ANSWERED_WITHIN_S)
        if text_of(answer) == english("nothing_kept"):
            return True
        pressed = self.discord.press(answer, english("button.forget_me"), self.person)
        answer = await self.discord.wait_for(lambda: pressed.answer, ANSWERED_WITHIN_S)
        return text_of(answer).startswith((english("nothing_kept"), "All your data has been deleted"))

    # -- whether they were answered -----------------------------------------------------------------------

    @property
    def is_free(self) -> bool:
        """Whether this person may speak."""
        return not self.is_erasing and self.is_answered

    @property
    def is_answered(self) -> bool:
        """Whether nothing this person said or was asked is still open."""
        if self.is_erasing:
            return self.is_erased
        is_edited = not self.said or self._gave_up(self.said[-1][0]) or bool(self._results(self.said[-1][0]))
        return is_edited and all(map(self._is_settled, self.consents))

    @property
    def is_taken(self) -> bool:
        """Whether the bot has shown that it knows of the last request."""
        return bool(self.said and self.discord.answers_to(self.said[-1][0]))

    def _is_settled(self, consent: Consent) -> bool:
        if self._gave_up(consent.asked):
            return True
        return bool(self._results(consent.asked) if consent.answer == "yes" else self._denials(consent))

    def _results(self, asked: Message) -> list[Message]:
        return results_to(self.discord, asked)

    def _denials(self, consent: Consent) -> list[Message]:
        denied = english_pattern("consent_denied")
        return [m for m in self.discord.answers_to(consent.asked) if denied.search(text_of(m))]

    def _gave_up(self, asked: Message) -> bool:
        """Whether two kills met the bot while it read a message, so that it asks for another."""
        return any(GIVEN_UP in text_of(answer) for answer in self.discord.answers_to(asked))

    def forget_given_up(self) -> None:
        """Take the last message as not said, if the bot asks for another."""
        if self.said and self._gave_up(self.said[-1][0]):
            self.said.pop()
            self.given_up += 1

    # -- what went wrong ----------------------------------------------------------------------------------

    def findings(self) -> Counter[str]:
        """What was lost, doubled, wrong or left over; nothing is expected of who was erased."""
        found: Counter[str] = Counter()
        if self.is_erased:
            return found
        self.forget_given_up()
        found["given_up"] = self.given_up
        stories = list(self.said)
        for consent in self.consents:
            found["consents"] += 1
            found["doubled"] += max(0, self._times_asked(consent) - 1)
            if self._gave_up(consent.asked):
                found["given_up"] += 1
            elif consent.answer == "yes":
                stories.append((consent.asked, [consent.words]))
            else:
                found["lost"] += not self._denials(consent)
                found["doubled"] += max(0, len(self._denials(consent)) - 1)
                found["wrong_pictures"] += len(self._results(consent.asked))
        for asked, story in stories:
            results = self._results(asked)
            found["lost"] += not results
            found["doubled"] += max(0, len(results) - 1)
            found["wrong_pictures"] += sum(not self._bears(result, story) for result in results)
        results_of = [result for asked, _ in stories for result in self._results(asked)]
        found["cards_left"] = sum(
            message not in results_of and not _is_answer(message) for message in self.messages()
        )
        return found

    def messages(self) -> list[Message]:
        """The bot's messages in the channel and its threads."""
        places = dict.fromkeys((self.channel, self.place))
        return [message for place in places for message in self.discord.messages_of_bot(place)]

    def _times_asked(self, consent: Consent) -> int:
        """How often the bot posted the question, which pings: also where it is deleted by now."""
        posted = (*self.discord.messages_of_bot(self.channel), *self.discord.world.deleted_by_bot)
        return sum(m.reply_to is consent.asked and QUESTION in text_of(m) for m in posted)

    def _bears(self, result: Message, story: list[str]) -> bool:
        """Whether the picture bears the marks of these instructions and of no others."""
        png = gallery_of(result, self.discord.world)[-1][0]
        with Image.open(io.BytesIO(png)) as picture:
            as_wide = picture.width == SIDE_PX + len(story)
        return as_wide and marks_on(png, len(story)) == [colour_of(words) for words in story]

    # -- what an erased person left -----------------------------------------------------------------------

    @property
    def words(self) -> list[str]:
        """Every instruction that this person gave."""
        return [story[-1] for _, story in self.said]

    def left(self, database: bytes, newest_colours: Counter[tuple[int, int, int]]) -> Counter[str]:
        """Of an erased person: the bytes in the database, picture files and messages that still hold theirs.

        `newest_colours`: how many stored pictures have which colour at their right edge.
        """
        signs = [f"discord:{self.person.id}", *self.words]
        own = [self.name, *self.words, *(f"cat-{self.name}-{n}" for n in range(len(self.consents)))]
        return Counter(
            rows_left=sum(sign.encode() in database for sign in signs),
            files_left=sum(newest_colours[colour_of(name)] for name in own),
            messages_left=self.messages_left(),
        )

    def messages_left(self) -> int:
        """How many messages of the bot still show this person's words, name or pictures."""
        lent = {result.id for consent in self.consents for result in self._results(consent.asked)}
        signs = [*self.words, f"<@{self.person.id}>"]
        return sum(
            message.id in lent or any(sign in _everything_in(message, self.discord) for sign in signs)
            for message in self.messages()
        )


def _is_answer(message: Message) -> bool:
    return any(english_pattern(code).search(text_of(message)) for code in ANSWERS)


def _everything_in(message: Message, discord: DiscordServer) -> str:
    return " ".join((text_of(message), *(alt for _, alt in gallery_of(message, discord.world))))


def right_edges(folder: Path) -> Counter[tuple[int, int, int]]:
    """How many stored pictures have which colour at their right edge, where the newest edit left its mark."""
    return Counter(marks_on(path.read_bytes(), 1)[0] for path in folder.glob("??/*.png"))
