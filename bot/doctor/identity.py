"""The doctor on who opens our pages: which steps of the identity ladder this corp has, and how to get the others.

One person on a roster is asked about (convert_to_openid), and the 公众号 is handed a code that cannot be right: which
error comes back tells whether its settings are. Nothing else is called and nobody notices.
"""

from bot.doctor.finding import Finding, Patient, ok, skipped, unsure, wrong
from store import identities, openids, roster
from store.database import Tx
from wecom import lookups
from wecom.errors import PlatformError
from wecom.mp import Mp

BY_PAGE, BY_ROSTER, BY_MP = "认人：页面登录", "认人：按群名单换算", "认人：公众号"
DOMAIN = "管理后台 → 应用管理 → 本应用 → 网页授权及JS-SDK → 可信域名，填 STEWARD_PUBLIC_URL 的域名。"
BINDING = "管理后台 → 客户与上下游 → 客户联系 → API → 微信开发者ID，绑定和公众号在同一个开放平台账号下的那个。"
NO_SUCH_CODE = "a-code-that-nobody-was-given"
REFUSES_THE_CODE = (40029, 40163)


async def examine(patient: Patient) -> list[Finding]:
    """Nothing is wrong with a step that is missing: the others go on, and each says what it is good for."""
    if patient.store is None:
        return [skipped("认人", "还没有数据库")]
    async with patient.store.read() as tx:
        by_page, who, has_unionids = await _by_page(tx), await openids.example(tx), await roster.unionid_seen(tx)
    return [by_page, await _by_roster(patient, who), *await _by_mp(patient, has_unionids=has_unionids)]


async def _by_page(tx: Tx) -> Finding:
    counts = await identities.counts(tx)
    logins = counts.get(("openid", "oauth"), 0)
    if not logins:
        cure = (
            f"{DOMAIN}再用手机微信扫一次入口码：看到「redirect_uri 参数错误」就是域名不对。没有用入口、打卡就不用管。"
        )
        return unsure(BY_PAGE, "还没有人在微信里打开过页面", cure)
    friends = sum(ids for (kind, evidence), ids in counts.items() if (kind, evidence) == ("external_userid", "oauth"))
    return ok(BY_PAGE, f"{logins} 人打开过页面，其中 {friends} 位加过导购、当场认得出")


async def _by_roster(patient: Patient, who: str | None) -> Finding:
    if who is None:
        return unsure(BY_ROSTER, "群里还没有没加过导购的微信顾客，试不了", "群里有了顾客以后再查。")
    try:
        await lookups.convert_to_openid(patient.wecom, who)
    except PlatformError as error:
        errcode = error.errcode if error.errcode > -1000 else None
        if error.treatment == "refused":
            text = f"没加过导购的人换算不出（错误码 {errcode}）：靠专用入群码和加导购来认"
            return unsure(BY_ROSTER, text, "不影响使用；想认得更准，请在欢迎语里引导顾客加导购。")
        return wrong(BY_ROSTER, f"调用 {error.endpoint} 没有成功", error.hint, errcode)
    return ok(BY_ROSTER, "没加过导购的群成员也换算得出（试了一位）")


async def _by_mp(patient: Patient, *, has_unionids: bool) -> list[Finding]:
    settings = patient.settings
    if settings.mp_app_id is None and settings.mp_secret is None:
        return [skipped(BY_MP, "没有设置（可以不用）；要用就填 MP_APP_ID 和 MP_SECRET，见 docs/identity.md")]
    if settings.mp_app_id is None or settings.mp_secret is None:
        missing = "MP_APP_ID" if settings.mp_app_id is None else "MP_SECRET"
        return [wrong(BY_MP, f"只填了一半，缺 {missing}", "两个都填，或者都不填。改过 .env 要重启 steward serve。")]
    mp = Mp(patient.client, settings.mp_api_base, settings.mp_app_id, settings.mp_secret.get_secret_value())
    found = [await _settings_of_mp(mp)]
    if not has_unionids:
        text = "群名单上从来没有 unionid：公众号说出的 unionid 对不上任何人"
        found.append(unsure(BY_MP, text, BINDING))
    return found


async def _settings_of_mp(mp: Mp) -> Finding:
    try:
        await mp.login(NO_SUCH_CODE)
    except PlatformError as error:
        if error.errcode in REFUSES_THE_CODE:
            return ok(BY_MP, "微信认得 MP_APP_ID 和 MP_SECRET")
        if error.errcode == 40013:
            cure = (
                "公众平台 → 设置与开发 → 开发接口管理 → 基本配置 → 开发者ID（AppID）。改过 .env 要重启 steward serve。"
            )
            return wrong(BY_MP, "MP_APP_ID 不对", cure, error.errcode)
        errcode = error.errcode if error.errcode > -1000 else None
        return wrong(BY_MP, f"调用 {error.endpoint} 没有成功", error.hint, errcode)
    return unsure(BY_MP, "微信接受了一个不存在的 code，没法判断", "请用手机微信扫一次入口码看看。")
