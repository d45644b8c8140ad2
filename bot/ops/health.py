"""A small web server for operators: /healthz (alive), /readyz (able to serve), /metrics (Prometheus)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, exposition

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[str | None]]  # why it does not hold, or None
CHECK_S = 2.0  # a check that takes longer has failed


def health_app(checks: Mapping[str, Check], registry: CollectorRegistry) -> web.Application:
    """The three routes. /readyz answers 503 until every named check holds, and says which do not and why."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        found = await asyncio.gather(*(_objection(name, check) for name, check in checks.items()))
        reasons = {name: reason for name, reason in zip(checks, found, strict=True) if reason is not None}
        holds = {name: name not in reasons for name in checks}
        body = {"ready": not reasons, "checks": holds, "reasons": reasons}
        return web.json_response(body, status=503 if reasons else 200)

    async def metrics(_: web.Request) -> web.Response:
        body = exposition.generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": exposition.CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


async def _objection(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_S:.0f} s"
    except Exception as error:
        log.warning("the check of %s failed: %r", name, error)
        return str(error) or type(error).__name__


@asynccontextmanager
async def health_server(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port (useful with port 0). OSError if the port is taken."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
