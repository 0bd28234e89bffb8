"""What the platform answers when it does not do as asked, and what to do then (pages 90455, 90475).

One exception, one table. Only `errcode` is looked at, never `errmsg`. Nothing here can hold a token or a secret:
messages are made of the endpoint's path, the number and our own hint.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Treatment = Literal["retry", "refresh_token", "alert", "refused", "unknown_outcome"]
"""What the caller does:
retry            nothing was done; the same again after `retry_after`
refresh_token    between gateway and token cache only; an error that leaves the gateway never says so
alert            somebody must change a setting; the same again only after that
refused          this request will never be accepted
unknown_outcome  a command may have been carried out or not
"""

# Ours, far from the platform's numbers: what went wrong before the platform could say anything.
NOT_SENT = -1001
OUTCOME_UNKNOWN = -1002
BAD_ANSWER = -1003
OVER_OUR_LIMIT = -1004
NO_ANSWER = -1005


@dataclass(frozen=True)
class Remedy:
    """What is known about one errcode. `retry_after` in seconds."""

    treatment: Treatment
    hint: str
    retry_after: float | None = None


_MEMBER_RANGE = "管理后台 → 应用管理 → 本应用 → 可见范围，把相关成员加进去。"
_CALLABLE = "管理后台 → 客户与上下游 → 客户联系 → 客户 → API → 可调用接口的应用，勾选本应用。"
_BUG = "请求的参数不被接受，属于程序错误，请把这条记录发给开发者。"

TABLE: dict[int, Remedy] = {
    NOT_SENT: Remedy("retry", "连不上企业微信服务器，请检查这台机器的网络、DNS 和 WECOM_API_BASE。", 10),
    NO_ANSWER: Remedy("retry", "企业微信没有给出可用的回答，稍后会自动重试。", 10),
    OUTCOME_UNKNOWN: Remedy("unknown_outcome", "请求已发出，但没有收到可用的回答，不知道企业微信是否已执行。"),
    BAD_ANSWER: Remedy("retry", "企业微信的回答缺少应有的内容，稍后会自动重试；一直如此请联系开发者。", 60),
    OVER_OUR_LIMIT: Remedy("retry", "接近企业微信的调用频率上限，已自动推迟。", 1),
    -1: Remedy("retry", "企业微信系统繁忙，稍后会自动重试。", 5),
    6000: Remedy("retry", "企业微信数据版本冲突，稍后会自动重试。", 5),
    40001: Remedy("alert", "WECOM_SECRET 不对。管理后台 → 应用管理 → 本应用 → Secret，重新查看后改设置并重启。"),
    40013: Remedy("alert", "WECOM_CORP_ID 不对。管理后台 → 我的企业 → 企业信息 → 企业ID。"),
    40014: Remedy("refresh_token", "access_token 一再失效：是否有别的程序在用同一个应用的 Secret？", 60),
    42001: Remedy(
        "refresh_token", "access_token 一再过期：请检查这台机器的时间，以及是否有别的程序在用同一个 Secret。", 60
    ),
    40004: Remedy("refused", "文件的种类不对：图片要用 jpg 或 png，视频要用 mp4。"),
    40005: Remedy("refused", "文件的种类不对：图片要用 jpg 或 png，视频要用 mp4。"),
    40006: Remedy("refused", "文件太大或太小：图片和视频最多 10 MB，其他文件最多 20 MB。"),
    40007: Remedy("refused", "图片或文件在企业微信里已过期（只保存三天），会重新上传。"),
    40029: Remedy("refused", "登录链接已用过或已过期，请重新打开页面。"),
    40031: Remedy("refused", "成员列表里有不合法的 userid。"),
    40035: Remedy("refused", _BUG),
    40050: Remedy("refused", "没有这个群，可能已经解散。"),
    40056: Remedy("alert", "WECOM_AGENT_ID 不对。管理后台 → 应用管理 → 本应用 → AgentId。"),
    40058: Remedy("refused", _BUG),
    40068: Remedy("refused", "没有这个企业标签，可能已经在管理后台删掉了。"),
    40071: Remedy("refused", "这个标签组里已经有同名的标签。"),
    40072: Remedy("refused", "标签的名字太长：最多 30 个字。"),
    40096: Remedy("refused", "没有这个外部联系人。"),
    41046: Remedy("refused", "没有群发的权限。" + _CALLABLE),
    41047: Remedy("refused", "群发的对象里没有可以发送的客户。"),
    40125: Remedy("alert", "MP_SECRET 不对。公众平台 → 设置与开发 → 开发接口管理 → 基本配置 → AppSecret。"),
    40163: Remedy("refused", "登录链接已经用过，请重新打开页面。"),
    41048: Remedy("refused", "没有可以发送的客户或客户群。"),
    41050: Remedy("refused", "欢迎语已超过 20 秒或编号无效，不能再发。"),
    41051: Remedy("refused", "已经有人和这位客户开始聊天，欢迎语不再发送。"),
    41063: Remedy("retry", "这条群发正在处理，稍后会自动重试。", 60),
    41064: Remedy("refused", "附件太大。"),
    41065: Remedy("refused", "不支持这种附件。"),
    41068: Remedy("refused", "敏感词数量超过上限。"),
    41069: Remedy("refused", "敏感词规则数量超过上限。"),
    41096: Remedy("retry", "另一个应用正在发送欢迎语，稍后会自动重试。", 1),
    42014: Remedy("refused", "这张卡片的编号已经用过，内容却不同，属于程序错误，请把这条记录发给开发者。"),
    42016: Remedy("refused", "卡片的更新码无效或已超过 72 小时，卡片不再更新。"),
    42022: Remedy("refused", "卡片的更新码已经用过，卡片不再更新。"),
    45002: Remedy("refused", "文字太长：群发最多 4,000 字节（一个汉字 3 字节）。"),
    45009: Remedy("retry", "调用次数超过企业微信的上限，一分钟后会自动重试。", 60),
    45033: Remedy("retry", "同时调用太多，稍后会自动重试。", 3),
    48002: Remedy("alert", "本应用没有调用这个接口的权限。" + _CALLABLE),
    50001: Remedy("alert", "网页域名不是可信域名。管理后台 → 应用管理 → 本应用 → 网页授权及JS-SDK → 可信域名。"),
    60011: Remedy("alert", "本应用无权查看这位成员或部门。" + _MEMBER_RANGE),
    60020: Remedy("alert", "这台机器的出口 IP 不在白名单。管理后台 → 应用管理 → 本应用 → 企业可信IP，加入出口 IP。"),
    60111: Remedy("refused", "没有这个成员，可能已离职或改了账号。"),
    81013: Remedy("refused", "接收的成员都不存在或不在可见范围。" + _MEMBER_RANGE),
    81017: Remedy("refused", "可见范围内的群主太多，须按群主分批查询。"),
    84061: Remedy("refused", "不是企业客户：没有成员添加过这个人（只在群里的人都是这样）。"),
    84074: Remedy("alert", "没有外部联系人权限。" + _CALLABLE),
    84083: Remedy("refused", "这位成员没有开通客户联系。管理后台 → 客户与上下游 → 客户联系 → 权限配置。"),
    84084: Remedy("refused", "这位成员没有添加过这个客户。"),
    86001: Remedy("refused", "没有这个群，可能已经解散。"),
    90500: Remedy("refused", "群主尚未离职。"),
    90501: Remedy("refused", "这不是客户群，或已经解散。"),
    90502: Remedy("refused", "群主已经离职：请在管理后台用「离职继承」分配这个群。"),
    90503: Remedy("refused", "群已经满了，新群主进不去，不能转让给 TA。"),
    90504: Remedy("refused", "新群主就是现在的群主。"),
    90508: Remedy("refused", "这个群已经转让过了。"),
    90507: Remedy("retry", "这个群正在转让，稍后会自动重试。", 600),
    90509: Remedy("refused", "这不是企业微信客户群。"),
    90511: Remedy("refused", "opengid 不对。"),
    301002: Remedy("alert", "本应用无权操作：WECOM_AGENT_ID 是另一个应用的，或者有人不在可见范围。" + _MEMBER_RANGE),
    301042: Remedy("alert", "这台机器的 IP 不在白名单。管理后台 → 应用管理 → 本应用 → 企业可信IP，加入出口 IP。"),
}


class PlatformError(Exception):
    """The platform did not do as asked, or nobody knows whether it did.

    `errcode`: the platform's, or one of the negative ones above. `endpoint`: the path below /cgi-bin/, without query.
    `hint`: Chinese, what to do and where, for a manager or the person who runs the server.
    """

    def __init__(
        self,
        errcode: int,
        endpoint: str,
        *,
        treatment: Treatment | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        remedy = TABLE.get(errcode) or _unlisted(errcode)
        self.errcode = errcode
        self.endpoint = endpoint
        self.hint = remedy.hint
        self.treatment: Treatment = treatment or remedy.treatment
        self.retry_after = retry_after
        if retry_after is None and remedy.retry_after is not None:
            self.retry_after = timedelta(seconds=remedy.retry_after)
        super().__init__(f"{endpoint}: errcode {errcode}: {self.hint}")

    def again(self) -> "PlatformError":
        """An equal error without this one's traceback, for the next of several who wait for the same answer."""
        return type(self)(self.errcode, self.endpoint, treatment=self.treatment, retry_after=self.retry_after)


class GroupGone(PlatformError):  # noqa: N818 - says what happened to the group
    """There is no such customer group (any more): dismissed, or never one of ours."""


class GroupHidden(PlatformError):  # noqa: N818 - says what is the case
    """The group's owner is outside the app's visible range: nothing can be read of it, and nothing is said of it."""


def _unlisted(errcode: int) -> Remedy:
    return Remedy(
        "refused", f"没有收录的错误码，可在 https://developer.work.weixin.qq.com/devtool/query?e={errcode} 查询原因。"
    )
