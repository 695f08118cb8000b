"""One exchange over one connection, ended from either side."""

import asyncio
import gc
from urllib.parse import urlsplit

from fakes.raw_server import RawServer

from llmopt_runner.transport.connections import HttpExchange


def test_an_exchange_cancelled_while_it_connects_leaves_no_error_unread():
    """The connection ends without a word to anybody, as nobody waits for the answer any more."""
    reported = []

    async def cancelled(url):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: reported.append(context))

        class Cancelled(HttpExchange):
            def connection_made(self, transport):
                tasks.pop().cancel()
                transport.close()

        tasks = [loop.create_task(Cancelled(most_bytes=1000).run(urlsplit(url), b""))]
        (ended,) = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the end of a connection is handled after what arrived before it
        await asyncio.sleep(0)
        gc.collect()
        return ended

    with RawServer(b"") as server:
        ended = asyncio.run(cancelled(server.url))
    assert isinstance(ended, asyncio.CancelledError)
    assert reported == []
