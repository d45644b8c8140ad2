"""What a bot for everybody lacks, for `mgie-bot --check`."""

from collections.abc import Iterator

from bot.ops.backup import last_backup
from bot.settings import Settings
from conversations.shares import DAY_S

BACKUP_DAYS = 7


def public_check(settings: Settings, now: float) -> str:
    """What is missing for a public server, one line each; the bot runs all the same. now: Unix seconds.

    Empty for a page that only this machine reaches.
    """
    if settings.discord_token is None and not (settings.is_page_open or settings.page_names):
        return ""
    missing = list(_missing(settings, now))
    if not missing:
        return "public  nothing is missing for a public server\n"
    return "".join(f"public  missing: {line}\n" for line in missing)


def _missing(settings: Settings, now: float) -> Iterator[str]:
    if settings.discord_token is not None and not settings.operator_ids:
        yield "OPERATOR_IDS: nobody may use /operator; only the command line decides for all servers"
    if not settings.privacy_url:
        yield "PRIVACY_URL: users are not told what is kept; docs/privacy.md has a template"
    if not settings.terms_url:
        yield "TERMS_URL: users are told no terms of use"
    if not (settings.notice_email or settings.notice_url):
        yield "NOTICE_EMAIL or NOTICE_URL: nobody outside can ask for the removal of a picture"
    if settings.notice_url and settings.notice_port is None:
        yield "NOTICE_PORT: NOTICE_URL is told to users, and the bot serves no form"
    if settings.share_all_hour is None and settings.share_all_day is None:
        yield "SHARE_ALL_HOUR or SHARE_ALL_DAY: nothing limits what everybody uses together"
    if settings.share_user_hour is None and settings.share_user_day is None:
        yield "SHARE_USER_HOUR or SHARE_USER_DAY: nothing limits what one person uses"
    if settings.safety == "off":
        yield "SAFETY (pip install 'mgie[safety]'): nothing looks at what pictures show"
    made = last_backup(settings.data_dir)
    if made is None or now - made > BACKUP_DAYS * DAY_S:
        yield f"mgie-bot backup: no backup was made within {BACKUP_DAYS} days"
