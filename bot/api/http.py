"""The HTTP transport of the Bot API client: aiohttp, which needs a quarter of httpx's CPU time per call.

A dialogue takes five calls or more; 50 people a second are 250 calls in that second, on the cores that also draw.
`NotSent` means that the request did not reach Telegram, so it can be repeated safely.
"""

from io import BytesIO
from typing import Any

import aiohttp
import httpx
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from configs.proxies import ProxyError, proxy_for

_CONNECT = 10.0  # s for the TCP connection, chosen by hand
_NOT_GIVEN = type(BaseRequest.DEFAULT_NONE)


class NotSent(NetworkError):
    """No connection could be made, so Telegram has not received this call."""


class AioRequest(BaseRequest):
    """Calls over at most `connections` keep-alive connections.

    Timeouts in seconds: `read` for the next byte of a response, `upload` for sending a request with files, `wait` for a
    free connection. Proxies come from the environment (`configs.proxies`), certificates are those of httpx.
    """

    def __init__(self, connections: int, *, read: float, upload: float, wait: float) -> None:
        self._connections, self._read, self._upload, self._wait = connections, read, upload, wait
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str] = {}

    @property
    def read_timeout(self) -> float:
        return self._read

    async def initialize(self) -> None:
        """Open the session; no connection is made yet. Repeatable."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=httpx.create_ssl_context())
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": self.USER_AGENT})

    async def shutdown(self) -> None:
        """Close every connection. Repeatable."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One call: (status, body). Only `read_timeout` is used. Raises NotSent, TimedOut, NetworkError."""
        if self._session is None:
            raise NotSent("the connections to Telegram are closed")
        read = self._read if isinstance(read_timeout, _NOT_GIVEN) else float(read_timeout)
        write = self._upload if request_data is not None and request_data.contains_files else self._read
        timeout = aiohttp.ClientTimeout(
            total=self._wait + write + read, connect=self._wait, sock_connect=_CONNECT, sock_read=read
        )
        try:
            proxy = self._proxy(url)
            async with self._session.request(
                method, url, data=_form(request_data), timeout=timeout, proxy=proxy or None
            ) as response:
                return response.status, await response.read()
        except ProxyError as error:
            raise NotSent(str(error)) from None
        except aiohttp.ClientConnectorError as error:
            raise NotSent(f"no connection: {error}") from error
        except aiohttp.ConnectionTimeoutError:  # from here on aiohttp's messages may contain the URL with the token
            raise NotSent("no connection in time") from None
        except TimeoutError:
            raise TimedOut from None
        except aiohttp.ClientHttpProxyError as error:
            raise NotSent(f"the proxy responded {error.status} {error.message}") from None
        except aiohttp.ClientResponseError as error:
            raise NetworkError(f"invalid response: {error.status} {error.message}") from None
        except aiohttp.InvalidURL:
            raise NotSent("bot.base_url is not a URL") from None
        except aiohttp.ClientError as error:
            raise NetworkError(f"{type(error).__name__}: {error}") from error

    def _proxy(self, url: str) -> str:
        """The proxy for a call, cached per server, since the look-up is slow compared with a call."""
        server = url.split("/", 3)[:3]
        key = "/".join(server)
        if key not in self._proxies:
            self._proxies[key] = proxy_for(url)
        return self._proxies[key]


def _form(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    """The form fields and files of a call."""
    if data is None or not data.contains_files:
        return None if data is None else data.json_parameters
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, mime) in data.multipart_data.items():
        # as a stream: for bytes beyond 1 MiB aiohttp warns (ResourceWarning) that they block the event loop
        stream = BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=filename, content_type=mime)
    return form
