"""How the guild and the application look on the wire."""

from tests.support.discord_server.ids import born_at
from tests.support.discord_server.shapes import EVERYONE_MAY, PERMISSION_BITS, channel, member, person
from tests.support.discord_server.world import DM, THREAD, Json, World

GUILD_DEFAULTS: Json = {
    "icon": None,
    "splash": None,
    "discovery_splash": None,
    "description": None,
    "banner": None,
    "region": "deprecated",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "verification_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw_level": 0,
    "application_id": None,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "rules_channel_id": None,
    "public_updates_channel_id": None,
    "vanity_url_code": None,
    "premium_subscription_count": 0,
    "preferred_locale": "en-US",
    "features": [],
    "emojis": [],
    "stickers": [],
    "voice_states": [],
    "presences": [],
    "stage_instances": [],
    "guild_scheduled_events": [],
    "soundboard_sounds": [],
    "large": False,
    "unavailable": False,
}


def role(role_id: int, name: str, permissions: int) -> Json:
    return {
        "id": str(role_id),
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": str(permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def guild(world: World) -> Json:
    """The body of GUILD_CREATE."""
    everyone = role(world.guild_id, "@everyone", EVERYONE_MAY)
    bots = role(world.application_id, world.bot.name, sum(PERMISSION_BITS[name] for name in world.granted))
    return GUILD_DEFAULTS | {
        "id": str(world.guild_id),
        "name": world.guild_name,
        "owner_id": str(world.owner.id),
        "premium_tier": world.premium_tier,
        "roles": [everyone, {**bots, "position": 1, "managed": True, "tags": {"bot_id": str(world.bot.id)}}],
        "member_count": len(world.people),
        "members": [member(world, who) for who in (world.bot, world.owner)],
        "channels": [
            channel(world, c) for c in world.channels.values() if c.kind not in (DM, THREAD) and not c.foreign
        ],
        "threads": [channel(world, c) for c in world.channels.values() if c.kind == THREAD],
        "joined_at": born_at(world.guild_id),
    }


def application(world: World) -> Json:
    """The body of GET /oauth2/applications/@me."""
    return {
        "id": str(world.application_id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": person(world.bot),
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": person(world.owner),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
        "bot_public": True,
        "bot_require_code_grant": False,
    }
