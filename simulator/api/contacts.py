"""External contacts: externalcontact/get (pages 92114, 96315) and get_follow_user_list (page 92571)."""

import re

from simulator.api.call import Call, Json
from simulator.errors import ApiError
from simulator.people import Customer
from simulator.world import World

EXTERNAL_ID = re.compile(r"w[mo][0-9A-Za-z_-]{10,62}")


def contact_get(world: World, call: Call) -> Json:
    """84061 for everybody whom no visible member of staff has added, also for people in our own groups."""
    external_userid = call.query.get("external_userid")
    if not external_userid:
        raise ApiError(41035)
    if not EXTERNAL_ID.fullmatch(external_userid):
        raise ApiError(40096)
    person, now = world.customers.get(external_userid), world.clock.now()
    follows = [each for each in person.follows.values() if now >= each.readable_at] if person else []
    follows = [each for each in follows if world.staff[each.userid].visible]
    if person is None or not follows:
        raise ApiError(84061)
    return {
        "external_contact": _person(world, person),
        "follow_user": [
            {
                "userid": each.userid,
                "remark": person.name,
                "description": "",
                "createtime": int(each.at.timestamp()),
                "tags": world.tags.shown(each.userid, person.id),
                "add_way": 1,
                **({"state": each.state} if each.state is not None else {}),
            }
            for each in follows
        ],
    }


def _person(world: World, person: Customer) -> Json:
    answer: Json = {
        "external_userid": person.id,
        "name": person.name,
        "type": person.type,
        "avatar": "",
        "gender": 0,
    }
    if person.type == 2:
        answer |= {
            "position": person.position,
            "corp_name": person.company,
            "corp_full_name": person.company,
        }
    elif person.unionid and world.gives_unionid:
        answer["unionid"] = person.unionid
    return answer


def follow_user_list(world: World, _call: Call) -> Json:
    return {"follow_user": [each.userid for each in world.staff.values() if each.visible and each.serves]}
