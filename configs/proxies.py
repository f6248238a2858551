"""The proxy of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case, read in one place.

Every client of ours asks here, so that `python -m bot --check` and serving go the same way. A proxy speaks HTTP(S).
"""

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

_KNOWN = ("http", "https")


class ProxyError(ValueError):
    """The environment names a proxy that cannot be used; the message is one line that says which and what to do."""


def proxy_for(url: str) -> str:
    """The address of the proxy for `url`, "" where there is none. Raises ProxyError for SOCKS and other kinds."""
    parts = urlsplit(url)
    proxies = getproxies_environment()
    if proxy_bypass_environment(parts.hostname or "", proxies):
        return ""
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(name, "").strip()
    if not proxy:
        return ""
    kind, separator, _ = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"
    if kind.lower() not in _KNOWN:
        raise ProxyError(
            f"{name.upper()}_PROXY names a {kind.lower()} proxy, which is not supported: name an http:// one"
        )
    return proxy
