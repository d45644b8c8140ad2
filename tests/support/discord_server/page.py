"""The channels as pages, drawn from what clients get: for looking at a bot by eye, and for screenshots."""

import html
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.support.discord_server import markdown
from tests.support.discord_server.world import DM, LOADING, Channel, Json, Message, Person

if TYPE_CHECKING:
    from tests.support.discord_server.server import DiscordServer

STYLE = (Path(__file__).parent / "page.css").read_text()
BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary link"}


class Page:
    """`/` lists the channels, `/channels/<id>` shows one and lets a person say something there."""

    def __init__(self, server: "DiscordServer") -> None:
        self._server = server

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/", self.list_channels)
        app.router.add_get("/channels/{channel_id}", self.show_channel)
        app.router.add_post("/channels/{channel_id}", self.say)

    async def list_channels(self, request: web.Request) -> web.Response:
        channels = self._server.world.channels.values()
        links = "".join(f'<li><a href="/channels/{c.id}">{_title(c)}</a></li>' for c in channels)
        return _page("Channels", f"<ul class=channels>{links}</ul>")

    async def show_channel(self, request: web.Request) -> web.Response:
        channel = self._server.world.channel(int(request.match_info["channel_id"]))
        messages = "".join(self.draw(m) for m in channel.messages.values())
        return _page(
            _title(channel), f"<header>{_title(channel)}</header><main>{messages}</main>{self._form()}"
        )

    async def say(self, request: web.Request) -> web.StreamResponse:
        """Post what the form holds, as the chosen person."""
        form: Any = await request.post()
        world = self._server.world
        channel = world.channel(int(request.match_info["channel_id"]))
        file = form.get("file")
        files = {file.filename: file.file.read()} if getattr(file, "filename", "") else {}
        text = form["text"]
        mention = bool(form.get("mention"))
        self._server.say(channel, world.people[int(form["person"])], text, files=files, mention=mention)
        raise web.HTTPSeeOther(request.path)

    def _form(self) -> str:
        people = [p for p in self._server.world.people.values() if not p.bot]
        options = "".join(f"<option value={p.id}>{html.escape(p.name)}</option>" for p in people)
        return (
            "<form method=post enctype=multipart/form-data>"
            f"<select name=person>{options}</select><input name=text autofocus placeholder='Message'>"
            "<input type=file name=file><label><input type=checkbox name=mention checked> @bot</label>"
            "<button class=primary>Send</button></form>"
        )

    def draw(self, message: Message) -> str:
        """One message as HTML."""
        shape = self._server.shown(message)
        author = message.author
        name = html.escape(display_name(author))
        tag = "<span class=app>APP</span>" if author.bot else ""
        time = shape["timestamp"][11:16]
        thinking = "<div class=small>is thinking…</div>" if message.flags & LOADING else ""
        return (
            f"<article id=m{message.id}>{self._reply_line(message)}"
            f"<div class='avatar a{author.id % 4}'>{name[0].upper()}</div><div class=body>"
            f"<div class=who><b>{name}</b>{tag}<span class=stamp>{time}</span></div>{thinking}"
            f"{self._text(shape['content'])}{_pictures(shape['attachments'])}"
            f"{self._components(shape['components'])}</div></article>"
        )

    def draw_form(self, modal: Json) -> str:
        """A form that was opened, as HTML."""
        fields = "".join(_field(label) for label in modal["components"])
        buttons = "<button class=secondary>Cancel</button><button class=primary>Submit</button>"
        title = f"<div class=h1>{html.escape(modal['title'])}</div>"
        return f"<div class=form>{title}{fields}<div class=row>{buttons}</div></div>"

    def _reply_line(self, message: Message) -> str:
        to = message.reply_to
        if to is None:
            return ""
        said = html.escape(to.content.partition("> ")[2] or to.content or "Click to see attachment")[:80]
        return f"<div class=reply><b>@{html.escape(display_name(to.author))}</b> {said}</div>"

    def _text(self, text: str) -> str:
        world = self._server.world
        names = {p.id: html.escape(display_name(p)) for p in world.people.values()}
        names |= {channel.id: html.escape(channel.name) for channel in world.channels.values()}
        return markdown.draw(text, names) if text else ""

    def _components(self, components: Iterable[Json]) -> str:
        return "".join(self._component(c) for c in components)

    def _component(self, component: Json) -> str:
        match component["type"]:
            case 1:
                return f"<div class=row>{self._components(component['components'])}</div>"
            case 2:
                return _button(component)
            case 3:
                return f"<div class=select>{html.escape(component.get('placeholder') or '')}</div>"
            case 9:
                inner = self._components(component["components"])
                return f"<div class=section><div>{inner}</div>{self._component(component['accessory'])}</div>"
            case 10:
                return f"<div class=text>{self._text(component['content'])}</div>"
            case 11:
                return f'<img class=thumbnail src="{html.escape(component["media"]["url"])}">'
            case 12:
                return _gallery(component["items"])
            case 14:
                return f"<hr class={'line' if component['divider'] else 'gap'}>"
            case 17:
                colour = f"#{component['accent_color'] or 0x3F4147:06x}"
                inner = self._components(component["components"])
                return f'<div class=container style="border-left-color:{colour}">{inner}</div>'
            case kind:
                return f"<div class=small>[component {kind}]</div>"


def display_name(who: Person) -> str:
    """The name others see."""
    return who.name if who.bot else who.name.capitalize()


def _button(component: Json) -> str:
    emoji = (component.get("emoji") or {}).get("name", "")
    label = html.escape(f"{emoji} {component.get('label') or ''}".strip())
    off = " disabled" if component.get("disabled") else ""
    return f"<button class='{BUTTON_STYLES[component['style']]}'{off}>{label}</button>"


def _field(label: Json) -> str:
    """One question of a form."""
    field = label["component"]
    asked = f"<div class=h3>{html.escape(label['label'])}</div>"
    match field["type"]:
        case 4:
            text = html.escape(field.get("value") or "")
            hint = html.escape(field.get("placeholder") or "")
            return f"{asked}<div class=input>{text or f'<span class=small>{hint}</span>'}</div>"
        case 21:
            options = "".join(
                f"<label class=option>{'◉' if o.get('default') else '○'} {html.escape(o['label'])}</label>"
                for o in field["options"]
            )
            return f"{asked}<div class=options>{options}</div>"
        case _:
            return f"{asked}<div class=select>Browse files…</div>"


def _gallery(items: list[Json]) -> str:
    drawn = "".join(
        f'<figure class="{"spoiler" if i.get("spoiler") else ""}">'
        f'<img src="{html.escape(i["media"]["url"])}" alt="{html.escape(i["description"] or "")}"></figure>'
        for i in items
    )
    return f"<div class='gallery n{len(items)}'>{drawn}</div>"


def _pictures(attachments: list[Json]) -> str:
    pictures = [a for a in attachments if a["content_type"].startswith("image/")]
    return "".join(f'<img class=upload src="{html.escape(a["url"])}">' for a in pictures)


def _title(channel: Channel) -> str:
    return html.escape(("@ " if channel.kind == DM else "# ") + channel.name)


def _page(title: str, body: str) -> web.Response:
    text = f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>{body}"
    return web.Response(text=text, content_type="text/html")
