"""Why `steward serve` did not start, in Chinese, with what to do."""

import errno

from bot.config.read import ConfigError
from bot.server import CannotListenError, ServerError
from store.database import StoreUnavailable

NOT_STARTED = (ConfigError, StoreUnavailable, ServerError)


def say(failure: Exception) -> str:
    """What is printed about one of `NOT_STARTED`."""
    match failure:
        case ConfigError():
            return f"启动不了。改好以后运行 steward check 再看一遍：\n{failure}"
        case CannotListenError():
            return f"启动不了：{_listening(failure)}"
        case ServerError():
            return "启动不了：网页服务起不来，原因在上面的日志里。"
        case _:
            return f"启动不了：数据库用不了。看看 DATABASE_URL、磁盘空间和文件权限：{failure}"


def _listening(failure: CannotListenError) -> str:
    host, port = failure.host, failure.port
    match failure.number:
        case errno.EADDRINUSE:
            return (
                f"{host} 的端口 {port} 已经被占用，多半是另一个 steward serve 还开着，也可能是别的程序"
                f"（运行 ss -ltnp | grep :{port} 看是谁）。停掉它；要换端口，就改 .env 里的 STEWARD_PORT"
                "（或用 --port），反向代理指到的端口也要跟着改。"
            )
        case errno.EACCES:
            return (
                f"没有权限监听端口 {port}，小于 1024 的端口一般只给管理员用。把 .env 里的 STEWARD_PORT（或 --port）"
                "改成 8000 这样的端口，443 和 80 交给反向代理。"
            )
        case _:
            return (
                f"不能监听 {host}:{port}，多半是这台机器没有 {host} 这个地址。把 .env 里的 STEWARD_HOST（或 --host）"
                "改成 127.0.0.1；在容器里，或反向代理在另一台机器上，改成 0.0.0.0。"
            )
