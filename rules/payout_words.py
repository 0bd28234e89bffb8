"""What managers and owners are told about payouts (Chinese)."""

from datetime import datetime

from rules.actions import Card, CardButton, CardLine
from rules.clock import BEIJING
from rules.money import say_money

_PAUSES = {
    "no_money": (
        "红包暂停发放：商户号余额不足",
        "请到微信支付商户平台充值。充值以后不用做别的：机器人每 30 分钟试一次，能发了就自动继续，一个也不会多发。",
    ),
    "setup": (
        "红包暂停发放：微信支付的设置不对",
        "请检查 .env 里的 WXPAY_* 和 MP_APP_ID，改好后重启机器人。机器人每小时试一次，能发了就自动继续。",
    ),
    "conflict": (
        "红包暂停发放：单号或账目对不上",
        "这是程序的问题，请把 steward draw payouts 的结果发给开发者。查清以后用 steward draw payouts --resume 恢复。",
    ),
}

CODES = {
    "TIMEOUT": "微信支付没有回答",
    "NO_WORD": "请求发出后没有下文",
    "SYSTEMERROR": "微信支付系统繁忙",
    "PROCESSING": "微信支付还在处理",
    "NOT_FOUND": "微信支付查不到这个单号",
    "SENDING": "微信支付说正在发放",
    "UNPARSABLE": "微信支付的回答看不懂",
    "NO_AUTH": "被微信支付的风险控制拦下",
    "NOTENOUGH": "商户号余额不足",
    "SENDNUM_LIMIT": "这个人今天领的红包已到上限",
    "RCVDAMOUNT_LIMIT": "这个人今天领的金额已到上限",
    "SENDAMOUNT_LIMIT": "商户号今天发放的金额已到上限",
    "DAY_LIMIT": "今天已到上限，明天再发",
    "FREQ_LIMIT": "发得太快",
    "SECOND_OVER_LIMITED": "发得太快",
    "SEND_FAILED": "发放失败",
    "FAILED": "发放失败",
    "OPENID_ERROR": "openid 和公众号对不上",
    "PARAM_ERROR": "请求的内容不被接受",
    "SIGN_ERROR": "签名不对：检查 WXPAY_API_KEY",
    "CA_ERROR": "证书不对：检查 WXPAY_CERT 和 WXPAY_KEY",
    "XML_ERROR": "请求的格式不对",
    "ILLEGAL_APPID": "公众号和商户号没有绑定：检查 MP_APP_ID",
    "FATAL_ERROR": "同一个单号用过别的内容",
    "NO_SETTINGS": "没有填写 WXPAY_*",
    "CERTIFICATE": "证书或私钥的文件读不了：检查 WXPAY_CERT 和 WXPAY_KEY",
    "TOO_OLD": "超过 29 天，微信支付已经查不到，再发可能重复",
    "OURS": "程序出错，见日志",
    "REFUND": "24 小时没有领，已退回",
    "OTHER_ACCOUNT": "这一单是用另一个商户号或公众号发起的",
    "OTHER_AMOUNT": "微信支付里这个单号是另一个金额",
    "OVERDRAWN": "账上没有留这笔钱",
    "PAID_AFTER_ALL": "登记为没有发出的红包，其实发出去了",
    "BY_HAND": "人工核对",
}


def say_code(code: str) -> str:
    """What a code means, with the code itself: it is what the provider's help knows."""
    meant = CODES.get(code)
    return f"{meant}（{code}）" if meant else code


def say_pause(reason: str, code: str) -> tuple[str, str]:
    """Title and text for managers."""
    title, text = _PAUSES[reason]
    return title, f"原因：{say_code(code)}。{text}"


def say_resumed() -> str:
    return "红包已恢复发放，之前没发的会接着发。"


def say_unpayable(state: str, way: str, why: str) -> str:
    """Why a winner's prize is somebody else's now; the winner reads it, too. A coupon's `why` is a sentence."""
    if way != "wechat":
        return why
    return "红包 24 小时没有领，已经退回" if state == "refunded" else f"红包发不出去：{say_code(why)}"


def say_stuck_title(amount: int, state: str) -> str:
    return f"一个 {say_money(amount)} 的红包，不知道{'领了没有' if state == 'sent' else '发出去没有'}"


def say_stuck(number: str, person: str, amount: int, why: str, since: datetime) -> str:
    """What a manager is to do about a payout of which nothing definite is known."""
    when = f"{since.astimezone(BEIJING):%m月%d日 %H:%M}"
    return (
        f"{when} 开始发给 {person or '中奖者'}，{say_money(amount)}，最后的结果：{say_code(why)}。"
        f"请在微信支付商户平台（营销中心 → 现金红包 → 查询）查商户单号 {number}："
        f"已发出就运行 steward draw settle {number} paid，已退款 refunded，确实没有发出 failed；"
        "挡路的事解决了（例如改好了设置）again，同一单号再发。查清以前请不要另外补发。"
    )


# --- the owner sends it -----------------------------------------------------------------------------------------------


def owner_card(group: str, what: str, total: int, until: datetime, *, reminded: bool) -> Card:
    """The card that asks an owner to send a native red packet in the group, now. `what`: 200元 / 40 个拼手气红包."""
    last = f"{until.astimezone(BEIJING):%m月%d日 %H:%M}"
    return Card(
        title=f"{'再提醒一次：' if reminded else ''}请在群里发红包",
        description=f"群「{group}」",
        text=f"现在在本群发 {what}。发完点「已发」，金额就记进预算；不点就不算发过。",
        lines=(
            CardLine(label="群", value=group),
            CardLine(label="金额", value=say_money(total)),
            CardLine(label="最晚", value=f"{last}，过了就不发了"),
        ),
        buttons=(
            CardButton(key="sent", text="已发", style=1),
            CardButton(key="later", text="稍后提醒"),
            CardButton(key="cannot", text="发不了"),
        ),
    )


def say_lucky(total: int, shares: int) -> str:
    """`200元 / 40 个拼手气红包`."""
    return f"{say_money(total)} / {shares} 个拼手气红包"


CARD_ENDS = {"received": "已发，已记账", "failed": "没有发，金额已退回预算"}


def say_not_sent(group: str, what: str, why: str) -> str:
    """For managers: an owner did not send it."""
    return f"群「{group}」的 {what} 没有发（{why}），金额已退回预算。"
