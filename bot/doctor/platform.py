"""The doctor on the way to WeCom: token, address list, permissions, who is in the visible range, and the clock."""

from collections.abc import Iterable
from datetime import timedelta

from bot.doctor.finding import Finding, Patient, ok, skipped, unsure, wrong
from store import roster, staff
from wecom import lookups
from wecom.errors import GroupGone, PlatformError

SKEW_HARMS = timedelta(seconds=60)
GROUPS_READ = 20  # without a database, so many groups are asked for their owner
PEOPLE_ASKED = 200
SHOWN = 5

NAMES = {
    -1001: "连接企业微信",
    40001: "密钥",
    40013: "企业 ID",
    40056: "应用 ID",
    48002: "接口权限",
    60011: "可见范围",
    60020: "可信 IP",
    84074: "接口权限",
    301002: "接口权限",
    301042: "可信 IP",
}
RANGE = "管理后台 → 应用管理 → 本应用 → 可见范围，把他们（或他们的部门）加进去。"
SERVES = "管理后台 → 客户与上下游 → 客户联系 → 权限配置 → 使用范围，把他们加进去。"


async def examine(patient: Patient) -> list[Finding]:
    """What goes wrong first hides the rest: that is then left out, and says so."""
    app: list[Finding] = []
    try:
        app = [await _app(patient)]
        serving = await lookups.follow_users(patient.wecom)
        listed = await lookups.all_group_ids(patient.wecom)
    except PlatformError as error:
        return [*app, _trouble(error, patient), *_clock(patient), skipped("可见范围", "上面这项改好以后再查")]
    found = [
        ok("密钥", "企业微信认得 WECOM_CORP_ID 和 WECOM_SECRET"),
        *app,
        ok("可信 IP", "企业微信接受这台机器的调用"),
        ok("接口权限", "可以调用客户联系的接口"),
        *_clock(patient),
    ]
    try:
        return [*found, *await _range(patient, set(serving), listed)]
    except PlatformError as error:
        return [*found, _trouble(error, patient)]


async def _app(patient: Patient) -> Finding:
    """Everything but messages works with a wrong agent id: it would be noticed with the first card."""
    agent_id = patient.wecom.agent_id
    app = await lookups.own_app(patient.wecom)
    if app is not None:
        return ok("应用 ID", f"WECOM_AGENT_ID {agent_id} 是「{app.name}」，和 WECOM_SECRET 是同一个应用")
    text = f"WECOM_AGENT_ID {agent_id} 和 WECOM_SECRET 不是同一个应用：读得了名单，卡片和消息一条也发不出去"
    cure = "管理后台 → 应用管理 → 本应用：AgentId 和 Secret 要从同一个页面抄到 .env。改过 .env 要重启 steward serve。"
    return wrong("应用 ID", text, cure)


def _trouble(error: PlatformError, patient: Patient) -> Finding:
    ip = f"这台机器的出口 IP 是 {patient.overheard.our_ip}。" if patient.overheard.our_ip else ""
    name = NAMES.get(error.errcode, "企业微信接口")
    where = f"调用 {error.endpoint} 没有成功"
    errcode = error.errcode if error.errcode > -1000 else None
    return wrong(name, f"{where}{f'（错误码 {errcode}）' if errcode is not None else ''}", ip + error.hint, errcode)


def _clock(patient: Patient) -> list[Finding]:
    skew = patient.overheard.skew
    if skew is None:
        return []
    seconds = abs(skew.total_seconds())
    if abs(skew) <= SKEW_HARMS:
        return [ok("时钟", f"和企业微信相差不到 {int(seconds) + 1} 秒")]
    fast = "快" if skew > timedelta(0) else "慢"
    cure = "在这台机器上打开自动对时（例如 timedatectl set-ntp true）；差得太多，回调会因为过期被拒。"
    return [wrong("时钟", f"这台机器的时钟{fast}了 {seconds:.0f} 秒", cure)]


# --- who can be seen --------------------------------------------------------------------------------------------------


async def _range(patient: Patient, serving: set[str], listed: tuple[str, ...]) -> list[Finding]:
    groups, found = await _groups(patient, listed)
    owners = {owner for _, owner, _ in groups}
    admins = {admin for _, _, some in groups for admin in some} - owners
    people = [userid for userid in sorted(owners | admins) if userid][:PEOPLE_ASKED]
    sight = {userid: await lookups.staff_sight(patient.wecom, userid) for userid in people}
    names = await _names(patient, people)
    hidden = [userid for userid in people if sight[userid] == "hidden"]
    gone = [userid for userid in people if sight[userid] == "gone"]
    unable = [userid for userid in sorted(owners) if sight.get(userid) == "visible" and userid not in serving]
    if hidden:
        text = f"看不到群主或群管理员 {_some(names[each] for each in hidden)}：发不了卡片，群主的群也收不到回调"
        found.append(wrong("可见范围", text, RANGE, 60011))
    if unable:
        text = f"群主 {_some(names[each] for each in unable)} 没有开通客户联系（或不在可见范围）"
        found.append(wrong("客户联系", text, SERVES))
    if gone:
        cure = "管理后台 → 客户与上下游 → 客户联系 → 离职继承，把群分配给在职的同事。"
        found.append(
            wrong(
                "群主离职", f"{_some(names[each] for each in gone)} 已离职或改了账号，还是群主或群管理员", cure, 60111
            )
        )
    if not found:
        text = f"看得到 {len(listed)} 个群、{len(serving)} 位有客户联系的成员；管理后台里若不止，就是有群主不在可见范围"
        found.append(ok("可见范围", text) if listed else unsure("可见范围", "一个客户群也看不到", RANGE + SERVES))
    return found


async def _groups(
    patient: Patient, listed: tuple[str, ...]
) -> tuple[list[tuple[str, str, tuple[str, ...]]], list[Finding]]:
    """(name, owner, admins) of the groups we know of, and what is wrong with those that the platform does not list."""
    if patient.store is None:
        read = [await lookups.read_group(patient.wecom, chat_id) for chat_id in listed[:GROUPS_READ]]
        return [(chat.name, chat.owner, chat.admins) for chat in read], []
    async with patient.store.read() as tx:
        known = await roster.groups(tx)
    hidden, refused = [], None
    for group in [each for each in known if each.chat_id not in set(listed)][:GROUPS_READ]:
        try:
            await lookups.read_group(patient.wecom, group.chat_id)
        except GroupGone:
            continue  # dismissed: the next reading of the roster will find out
        except PlatformError as error:
            if error.errcode != 60011:
                raise
            hidden.append(group.name or group.chat_id)
            refused = error
    groups = [(group.name, group.owner, tuple(group.admins)) for group in known]
    if refused is None:
        return groups, []
    text = f"读不了 {_some(f'「{name}」' for name in hidden)}：群主不在可见范围"
    return groups, [wrong("可见范围", text, RANGE, refused.errcode)]


async def _names(patient: Patient, userids: list[str]) -> dict[str, str]:
    if patient.store is None:
        return {userid: userid for userid in userids}
    async with patient.store.read() as tx:
        return await staff.names(tx, userids)


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return "、".join(every[:SHOWN]) + (f" 等 {len(every)} 个" if len(every) > SHOWN else "")
