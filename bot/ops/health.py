"""A small web server for operators: /healthz (alive), /readyz (able to serve), /metrics (Prometheus)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, exposition

Check = Callable[[], Awaitable[bool]]
CHECK_S = 2.0  # a check that takes longer has failed


def health_app(checks: Mapping[str, Check], registry: CollectorRegistry) -> web.Application:
    """The three routes. /readyz answers 503 until every named check holds, and says which do not."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        holds = {name: await _holds(check) for name, check in checks.items()}
        ready = all(holds.values())
        return web.json_response({"ready": ready, "checks": holds}, status=200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        body = exposition.generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": exposition.CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except Exception:
        return False


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
