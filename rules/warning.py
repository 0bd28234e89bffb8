"""Warnings: no bot can speak in a customer group, so somebody who can is given the words to send. Pure.

Also the card for managers about a rule that has stopped itself.
"""

from collections.abc import Sequence

from rules.actions import Card, CardButton, CardLine
from rules.removal import Suspect, choices

USUAL_WORDS = "您好，请看一下本群的群规，谢谢配合！"


def write_warning(group_name: str, suspects: Sequence[Suspect]) -> Card:
    """The card that asks the owner to tell somebody something (page 90236). At most PEOPLE_A_CARD people."""
    first = suspects[0]
    alone = len(suspects) == 1
    lines = [CardLine(label="群", value=group_name)]
    if alone:
        lines += [CardLine(label="原因", value=first.because), CardLine(label="怎么说", value=say_how(first))]
    else:
        lines += [CardLine(label=each.name or each.external_userid, value=each.because) for each in suspects]
    return Card(
        title=f"请提醒「{first.name or first.external_userid}」" if alone else f"请提醒 {len(suspects)} 个人",
        description="、".join(f"#{each.case_id}" for each in suspects),
        text=_advice(suspects),
        lines=tuple(lines),
        choices_title="按钮对谁有效",
        choices=choices(suspects),
        buttons=(
            CardButton(key="warned", text="已提醒", style=1),
            CardButton(key="release", text="误判，放行"),
            CardButton(key="later", text="稍后"),
        ),
    )


def _advice(suspects: Sequence[Suspect]) -> str:
    first = suspects[0]
    told_by = tuple(dict.fromkeys(each.told_by for each in suspects if each.told_by))
    if len(suspects) == 1 and told_by:
        return f"{first.told_by}加过TA：打开群发助手，点一下发送，就1:1告诉TA了；发出后这里会自己完成。"
    if len(suspects) == 1:
        return f"可以复制这句话发给TA：{say_words(first)}"
    by_friends = f"其中有的在{'、'.join(told_by)}的群发助手里，点一下发送就行。" if told_by else ""
    return f"{by_friends}请在群里分别提醒：@TA，说一下原因里的事。"


def say_friend_words(group_name: str, words: str) -> str:
    """What a colleague who has added the person sends them, 1:1."""
    return f"关于「{group_name}」：{words or USUAL_WORDS}"


def say_title(name: str) -> str:
    """What such a message is called when its sender is reminded of it."""
    return f"提醒「{name}」" if name else "群规提醒"


def say_not_told(who: str, group_name: str) -> str:
    return f"给{who}的1:1提醒没有发出去。请在「{group_name}」里@TA说一下，说完按卡片上的「已提醒」。"


def say_words(suspect: Suspect) -> str:
    """What to send, ready to be copied."""
    name = suspect.name or "您好"
    return f"@{name} {suspect.words or USUAL_WORDS}"


def say_how(suspect: Suspect) -> str:
    """By which way it can be said: 1:1 where somebody of ours has added the person, else in the group."""
    if suspect.told_by:
        return f"{suspect.told_by}在群发助手里点发送"
    if suspect.added_by:
        return f"{'、'.join(suspect.added_by[:2])}加过TA，可1:1发"
    return "在群里@TA（没人加过TA）"


def say_warn_by_text(group_name: str, suspects: Sequence[Suspect]) -> str:
    """For who cannot be shown cards."""
    each = "\n".join(f"{say_words(suspect)}（原因：{suspect.because}）" for suspect in suspects)
    return f"请提醒「{group_name}」里的人，可以复制下面的话：\n{each}\n处理或放行请点："


def say_held(rule: str) -> tuple[str, str]:
    """Title and text of what stands in the managers' daily list until they have pressed."""
    return (
        f"规则「{rule}」停下了",
        "要移出的人到了一天的上限，还有人在等：请按那张卡片上的「规则没错，继续」或「错了，全部作罢」。",
    )


def write_held(rule: str, most: int) -> Card:
    """For the managers: a rule wants more people removed on one day than it may."""
    return Card(
        title=f"规则「{rule}」今天停下了",
        description=f"已请移出 {most} 人，到了一天的上限",
        text="可能是规则写得太宽。看看记录（steward explain），规则没错就继续请人移出，错了就全部作罢，再改规则。",
        buttons=(
            CardButton(key="go_on", text="规则没错，继续", style=1),
            CardButton(key="call_off", text="错了，全部作罢", style=3),
        ),
    )
