"""`mgie-bot`: builds every part of the bot and connects them."""

import argparse
import asyncio
import errno
import importlib
import logging
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from bot.engines import check_cluster, engine_of
from bot.errors import CannotStart, ModelMissing
from bot.operator_admin import add_admin_command, administered
from bot.ops.allocator import give_back_large_blocks
from bot.ops.backup import back_up
from bot.ops.data_folder import DATABASE, IMAGES, check_data_folder, check_stored
from bot.ops.descriptors import raise_descriptor_limit, surviving_exhaustion
from bot.ops.health import health_app, health_server
from bot.ops.instance_lock import single_instance
from bot.ops.metrics import Metrics
from bot.ops.stopping import until_told_to_stop
from bot.policy.limits import Limits
from bot.public_check import public_check
from bot.readiness import readiness_checks
from bot.settings import Settings, read_settings
from bot.workflow.dispatcher import EditWorkflow, ModelFacts
from conversations.content_credentials import use_signer
from conversations.errors import StoreError
from conversations.images.image_store import ImageStore
from conversations.messages import Message
from conversations.store.session_store import SessionStore
from mgie_engine.config import ModelConfig, read_config, resolve_model
from mgie_engine.edits import EditRunner
from mgie_engine.errors import ModelError
from mgie_engine.serving.queue import QueueLimits
from mgie_engine.serving.service import EditService
from mgie_engine.strengths import StrengthTable, read_table
from mgie_engine.text.prompt_room import fitting_chars

log = logging.getLogger("mgie-bot")

ABOUT = """\
Edit pictures by talking. With DISCORD_TOKEN set, serves Discord; without it, a chat page on this machine.
Settings come from the environment and from .env; .env.example lists them all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot until it is stopped; returns the exit code: 0, or 2 when it cannot start."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = read_settings()
        if chosen.command == "backup":
            print_line(str(back_up(settings.data_dir, chosen.folder)))
            return 0
        if chosen.command == "admin":
            print_line(asyncio.run(administered(settings, chosen)))
            return 0
        if chosen.local:
            settings = settings.model_copy(update={"discord_token": None})
        _check_doors(settings)
        check_cluster(settings)
        config = model_config(settings)
        if chosen.check:
            check_stored(settings.data_dir)
            sys.stdout.write(summary(settings, config) + public_check(settings, time.time()))
            return 0
        _start_logging(settings)
        raise_descriptor_limit()
        check_data_folder(settings.data_dir)
        with single_instance(settings.data_dir):
            asyncio.run(serve(settings, config))
    except (CannotStart, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("mgie-bot", description=ABOUT)
    parser.add_argument(
        "--check", action="store_true", help="check the settings, print what they mean, and exit"
    )
    parser.add_argument("--local", action="store_true", help="serve the local page even when a token is set")
    commands = parser.add_subparsers(dest="command", metavar="")
    backup = commands.add_parser("backup", help="copy all data to a folder; the bot may go on running")
    backup.add_argument("folder", type=Path, help="a new folder, or one with an earlier backup")
    add_admin_command(commands)
    return parser


def _check_doors(settings: Settings) -> None:
    """CannotStart where other machines can reach the page without its names, or the API without a key."""
    if settings.discord_token is None and settings.is_page_open and not settings.page_names:
        raise CannotStart(
            f"WEB_HOST: {settings.web_host} lets other machines reach the page; list the host names they use "
            "in PAGE_NAMES, so that other sites cannot pose as it. See .env.example."
        )
    if settings.is_api_open and not settings.api_keys:
        raise CannotStart(
            f"API_HOST: {settings.api_host} lets other machines reach the API; list keys in API_KEYS. "
            "See .env.example."
        )


def model_config(settings: Settings) -> ModelConfig:
    """The configuration of the model the settings name; ModelMissing when it is not there."""
    try:
        return read_config(resolve_model(settings.mgie_model, settings.mgie_home))
    except ModelError as error:
        raise ModelMissing(f"MGIE_MODEL: {error}") from error


def model_strengths(settings: Settings) -> StrengthTable | None:
    """What is known of the strengths of the model the settings name; ModelMissing when it is not there."""
    try:
        return read_table(resolve_model(settings.mgie_model, settings.mgie_home).folder)
    except ModelError as error:
        raise ModelMissing(f"MGIE_MODEL: {error}") from error


def limits_of(settings: Settings, config: ModelConfig) -> Limits:
    """The operator's limits, and those of the model; ModelMissing when it is not there."""
    return replace(
        settings.limits,
        fitting_chars=model_room(settings),
        languages=config.languages,
        abilities=Message("abilities") if config.refusal else None,  # it was taught to decline the rest
    )


def model_room(settings: Settings) -> Callable[[str], int]:
    """How many characters of an instruction the model has room for; ModelMissing when it is not there."""
    try:
        return fitting_chars(resolve_model(settings.mgie_model, settings.mgie_home))
    except ModelError as error:
        raise ModelMissing(f"MGIE_MODEL: {error}") from error


def summary(settings: Settings, config: ModelConfig) -> str:
    """What these settings mean, in words; without secrets."""
    chat = (
        "Discord"
        if settings.discord_token
        else f"page at http://{settings.web_host}:{settings.web_port}{settings.page_path}"
    )
    place = f"the cluster {settings.mgie_cluster}" if settings.mgie_cluster else settings.mgie_device
    health = "off" if settings.health_port is None else f"{settings.health_host}:{settings.health_port}"
    api = "off" if settings.api_port is None else f"http://{settings.api_host}:{settings.api_port}/v1"
    return (
        f"chat    {chat}\n"
        f"model   {config.name} on {place}\n"
        f"data    {settings.data_dir.resolve()}\n"
        f"health  {health}\n"
        f"api     {api}\n"
        "The settings are fine.\n"
    )


def print_line(line: str) -> None:
    """Write a line to standard output and flush it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def serve(
    settings: Settings,
    config: ModelConfig,
    editor: EditRunner | None = None,
    *,
    say: Callable[[str], None] = print_line,
) -> None:
    """Build everything and serve until a signal or the end of the chat; then drain and close.

    `editor`: instead of engine processes for the model. `say`: tells the operator where the page is.
    """
    give_back_large_blocks()
    with surviving_exhaustion():
        await _serve_all(settings, config, editor, say)


async def _serve_all(
    settings: Settings, config: ModelConfig, editor: EditRunner | None, say: Callable[[str], None]
) -> None:
    use_signer(settings.signer)
    metrics = Metrics()
    images = ImageStore(settings.data_dir / IMAGES)
    model = ModelFacts(config.name, config.defaults, model_strengths(settings))
    lines = QueueLimits(waiting=settings.max_waiting, waiting_per_owner=settings.max_waiting)
    async with (
        SessionStore.open(settings.data_dir / DATABASE) as store,
        EditService(editor or await engine_of(settings), lines) as service,
        EditWorkflow(
            store,
            images,
            service,
            model,
            limits=limits_of(settings, config),
            metrics=metrics,
            keep_days=settings.keep_days or None,
            storage=settings.storage,
            host=settings.host,
        ) as workflow,
        _health(settings, store, service, workflow, images),
        _api(settings, workflow, model),
        _removal_form(settings, workflow),
    ):
        if settings.discord_token is not None:
            chat = _talk_on_discord(settings, workflow, store)
        else:
            chat = _serve_page(settings, workflow, images, model, say)
        drain = workflow.drain
        told_to_stop = workflow.operators.told_to_stop
        await until_told_to_stop(chat, lambda: drain(settings.drain_seconds), told_to_stop)


async def _talk_on_discord(settings: Settings, workflow: EditWorkflow, store: SessionStore) -> None:
    # Imported here and below: a chat's library takes a second or more, and the engine loads meanwhile.
    from bot.discord_chat.errors import LoginRefused
    from bot.discord_chat.startup import DiscordAddress, MessageAccess, serve_discord

    assert settings.discord_token is not None
    address = DiscordAddress(
        settings.discord_api_base, settings.discord_gateway_url, settings.discord_cdn_hosts
    )
    try:
        await serve_discord(
            workflow,
            store,
            settings.discord_token.get_secret_value(),
            address,
            MessageAccess(settings.message_content_intent, settings.edit_channels),
        )
    except LoginRefused as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        where = settings.discord_api_base or "Discord"
        raise CannotStart(
            f"{where} cannot be reached: {error}; check the network, then start again."
        ) from error


async def _serve_page(
    settings: Settings,
    workflow: EditWorkflow,
    images: ImageStore,
    model: ModelFacts,
    say: Callable[[str], None],
) -> None:
    server = await asyncio.to_thread(importlib.import_module, "bot.web_chat.server")
    with _port_named("WEB_PORT"):
        page = server.web_chat(
            workflow,
            images,
            model.name,
            model.defaults,
            host=settings.web_host,
            port=settings.web_port,
            names=settings.page_names,
            path=settings.page_path,
        )
        async with page as url:
            say(f"mgie-bot is at {url} (Ctrl+C stops it)")
            await asyncio.Event().wait()


@asynccontextmanager
async def _health(
    settings: Settings,
    store: SessionStore,
    service: EditService,
    workflow: EditWorkflow,
    images: ImageStore,
) -> AsyncIterator[None]:
    """The operator's server while the block runs, if its port is set."""
    if settings.health_port is None:
        yield
        return
    metrics = workflow.metrics
    metrics.watch(
        lambda: service.stats().waiting, lambda: service.stats().running, lambda: service.stats().slots
    )
    metrics.watch_devices(lambda: service.stats().devices)
    metrics.watch_disk(images.total_bytes, lambda: shutil.disk_usage(images.folder).free)
    checks = readiness_checks(store, workflow, service, images.folder, settings.storage.min_free)
    app = health_app(checks, metrics.registry)
    with _port_named("HEALTH_PORT"):
        async with health_server(app, settings.health_host, settings.health_port) as port:
            log.info("health at http://%s:%d/readyz", settings.health_host, port)
            yield


@asynccontextmanager
async def _api(settings: Settings, workflow: EditWorkflow, model: ModelFacts) -> AsyncIterator[None]:
    """The API for other programs while the block runs, if its port is set."""
    if settings.api_port is None:
        yield
        return
    from bot.openai_api.api_server import openai_api

    keys = [key.get_secret_value() for key in settings.api_keys]
    with _port_named("API_PORT"):
        async with openai_api(workflow, model.name, keys, settings.api_host, settings.api_port) as url:
            log.info("the API for other programs is at %s", url)
            yield


@asynccontextmanager
async def _removal_form(settings: Settings, workflow: EditWorkflow) -> AsyncIterator[None]:
    """The form for notices while the block runs, if its port is set."""
    if settings.notice_port is None:
        yield
        return
    server = await asyncio.to_thread(importlib.import_module, "bot.web_chat.removal_form")
    with _port_named("NOTICE_PORT"):
        async with server.removal_form(workflow, settings.notice_host, settings.notice_port) as port:
            log.info("the form for notices is at http://%s:%d/", settings.notice_host, port)
            yield


@contextmanager
def _port_named(setting: str) -> Iterator[None]:
    """Turn a port that cannot be had into a sentence that names the setting."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise CannotStart(f"{setting}: {error.strerror}; choose another one.") from error
        raise


def _start_logging(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
