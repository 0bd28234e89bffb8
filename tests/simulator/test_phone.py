"""/phone, driven by its own forms."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json


async def test_everybody_can_be_chosen(desk: "Desk") -> None:
    """The first page names staff and outsiders, these with their company, and links to each."""
    desk.world.add_customer("陈晨")
    rival = desk.world.add_rival("孙强", "隔壁<茶业>")
    page = (await desk.http.get("/phone")).text
    for text in ("李华", "王五", "陈晨", "孙强", "@隔壁&lt;茶业&gt;", f"/phone/{rival.id}"):
        assert text in page


async def test_a_card_is_shown_and_pressed(desk: "Desk", removal_card: "Json") -> None:
    """Title, lines, drop-down and buttons are on the page; pressing raises the event with the chosen option."""
    options = [{"id": "all", "text": "全部"}, {"id": "p1", "text": "孙强"}]
    selection = {"question_key": "choice", "title": "谁", "option_list": options}
    await desk.send_card("wangwu", removal_card | {"button_selection": selection})
    page = (await desk.http.get("/phone/wangwu")).text
    for text in ("请移出外部成员", "隔壁茶业", "误判，放行", "全部"):
        assert text in page
    form = {"task_id": "case-1", "key": "later", "question": "choice", "choice": "p1"}
    answer = await desk.http.post("/phone/wangwu/press", data=form)
    assert answer.status_code == 303
    await desk.world.run_due()
    [event] = desk.ear.heard
    assert event.findtext("EventKey") == "later"
    assert event.findtext("SelectedItems/SelectedItem/OptionIds/OptionId") == "p1"


async def test_replaced_buttons_are_gone(desk: "Desk", removal_card: "Json") -> None:
    """After an update the page shows the text and no button; an old page's press is answered with why not."""
    code = (await desk.send_card("wangwu", removal_card))["response_code"]
    body = {"userids": ["wangwu"], "agentid": desk.world.agent_id, "response_code": code}
    await desk.post("message/update_template_card", body | {"button": {"replace_name": "已核实移出"}})
    page = (await desk.http.get("/phone/wangwu")).text
    assert "已核实移出" in page
    assert 'name="key"' not in page
    answer = await desk.http.post("/phone/wangwu/press", data={"task_id": "case-1", "key": "later"})
    assert "做不到" in (await desk.http.get(answer.headers["location"])).text


async def test_a_rival_joins_by_code_and_is_removed(desk: "Desk") -> None:
    """Made on the page, in by the group's code, out by the owner's button; a member of staff has no such button."""
    group = desk.world.create_group("静安1群", "wangwu")
    desk.world.join(group, desk.world.staff["lihua"], invitor="wangwu")
    answer = await desk.http.post("/phone/new", data={"name": "孙强", "company": "隔壁茶业"})
    me = answer.headers["location"]
    assert me.startswith("/phone/wo")
    await desk.http.post(f"{me}/join", data={"code": group.code})
    person = me.removeprefix("/phone/")
    assert person in group.members
    assert "移出 孙强" in (await desk.http.get("/phone/wangwu")).text
    assert "移出 孙强" not in (await desk.http.get("/phone/lihua")).text
    form = {"chat_id": group.chat_id, "person": person}
    await desk.http.post("/phone/lihua/remove", data=form)
    assert person in group.members
    await desk.http.post("/phone/wangwu/remove", data=form)
    assert person not in group.members


async def test_customers_leave_and_make_friends(desk: "Desk") -> None:
    """A customer leaves a group and adds a member of staff; wrong codes and people are answered, not crashed on."""
    group, person = desk.world.create_group("静安1群", "wangwu"), desk.world.add_customer("陈晨")
    desk.world.join(group, person)
    await desk.http.post(f"/phone/{person.id}/leave", data={"chat_id": group.chat_id})
    await desk.http.post(f"/phone/{person.id}/add", data={"userid": "lihua"})
    assert person.id not in group.members
    assert list(person.follows) == ["lihua"]
    for deed, form in (("join", {"code": "no-such"}), ("leave", {"chat_id": "wrNOBODY"}), ("add", {})):
        assert (await desk.http.post(f"/phone/{person.id}/{deed}", data=form)).status_code == 303
    assert (await desk.http.get("/phone/nobody")).status_code == 404
    assert (await desk.http.post(f"/phone/{person.id}/fly")).status_code == 404


async def test_the_pages_need_no_other_host(desk: "Desk", removal_card: "Json") -> None:
    """No script, no address but our own paths."""
    desk.world.create_group("静安1群", "wangwu")
    await desk.send_card("wangwu", removal_card)
    person = desk.world.add_customer("陈晨")
    for path in ("/phone", "/phone/wangwu", f"/phone/{person.id}"):
        page = (await desk.http.get(path)).text
        assert "<script" not in page
        addresses = re.findall(r'(?:href|src|action)="([^"]*)"', page)
        assert addresses
        assert all(each.startswith(("/phone", "#")) for each in addresses)


async def test_a_notice_leads_somewhere(desk: "Desk") -> None:
    """A card without buttons shows where it leads, and so does a link in a text; everything else in it is plain."""
    url = "https://bot.example/todo/abc?a=1&b=2"
    notice = {
        "card_type": "text_notice",
        "main_title": {"title": "今日待办：3 位", "desc": "请处理"},
        "horizontal_content_list": [{"keyname": "2 位", "value": "静安1群"}],
        "jump_list": [{"type": 1, "title": "打开名单", "url": url}],
        "card_action": {"type": 1, "url": url},
    }
    await desk.send_card("wangwu", notice)
    await desk.send_text("wangwu", f'<b>请移出</b>\n<a href="{url}">打开处理页</a>')
    page = (await desk.http.get("/phone/wangwu")).text
    escaped = url.replace("&", "&amp;")
    assert page.count(f'href="{escaped}"') == 2
    for words in ("今日待办：3 位", "静安1群", "打开名单", ">打开处理页</a>", "&lt;b&gt;请移出"):
        assert words in page
    card, text = desk.world.inbox("wangwu")
    assert card.links == [("打开名单", url)]
    assert (text.links, text.text) == ([("打开处理页", url)], "<b>请移出</b>\n打开处理页")


async def test_only_web_addresses_are_links(desk: "Desk") -> None:
    """A script in place of an address stays text."""
    await desk.send_text("wangwu", '<a href="javascript:alert(1)">点</a>')
    assert 'href="javascript' not in (await desk.http.get("/phone/wangwu")).text


async def test_staff_create_groups(desk: "Desk") -> None:
    """A customer group, or a chat among colleagues, which is marked as internal."""
    for kind, name in (("customer", "VIP·031"), ("internal", "VIP·032")):
        await desk.http.post("/phone/wangwu/create", data={"name": name, "kind": kind})
    assert [(each.name, each.internal) for each in desk.world.groups.values()] == [
        ("VIP·031", False),
        ("VIP·032", True),
    ]
    assert "内部群" in (await desk.http.get("/phone/wangwu")).text
    nameless = await desk.http.post("/phone/wangwu/create", data={"name": " "})
    assert "请填写群名" in (await desk.http.get(nameless.headers["location"])).text


async def test_staff_let_people_in(desk: "Desk") -> None:
    """群聊邀请确认 is switched on, somebody scans, the owner sees them and agrees; others do not."""
    group, person = desk.world.create_group("VIP·1", "wangwu"), desk.world.add_customer("陈晨")
    await desk.http.post("/phone/wangwu/confirms", data={"chat_id": group.chat_id, "on": "1"})
    asked = await desk.http.post(f"/phone/{person.id}/scan", data={"code": group.code})
    assert "等群主确认" in (await desk.http.get(asked.headers["location"])).text
    assert "申请进「VIP·1」" in (await desk.http.get("/phone/wangwu")).text
    assert "申请进" not in (await desk.http.get("/phone/lihua")).text
    form = {"chat_id": group.chat_id, "person": person.id}
    await desk.http.post("/phone/lihua/approve", data=form)
    assert person.id not in group.members
    await desk.http.post("/phone/wangwu/approve", data=form)
    assert person.id in group.members
    await desk.http.post("/phone/lihua/confirms", data={"chat_id": group.chat_id, "on": "0"})
    assert group.confirms


async def test_members_invite_and_owners_dismiss(desk: "Desk") -> None:
    """A member brings somebody in past all codes; only the owner can end the group."""
    world = desk.world
    group, first, second = world.create_group("一群", "wangwu"), world.add_customer("陈晨"), world.add_customer("林琳")
    world.join(group, first)
    await desk.http.post(f"/phone/{first.id}/invite", data={"chat_id": group.chat_id, "person": second.id})
    assert group.members[second.id].join_scene == 1
    for who, gone in (("lihua", False), ("wangwu", True)):
        await desk.http.post(f"/phone/{who}/dismiss", data={"chat_id": group.chat_id})
        assert group.dismissed is gone


async def test_a_link_in_a_welcome_can_be_tapped(desk: "Desk") -> None:
    """It opens in the customer's own browser; everything else in the text is plain."""
    person = desk.world.add_customer("陈晨")
    desk.world.make_contact("wangwu", person)
    [code] = desk.world.welcomes.codes
    desk.world.welcomes.greet(code, "您好<b>\n点这里：http://bot/entrance/abc.d-e_f，谢谢")
    page = (await desk.http.get(f"/phone/{person.id}")).text
    assert f'href="/phone/{person.id}/web?url=http%3A%2F%2Fbot%2Fentrance%2Fabc.d-e_f"' in page
    assert "您好&lt;b&gt;" in page
