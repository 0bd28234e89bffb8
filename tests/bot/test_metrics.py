"""What the bot counts."""

from bot.metrics import Metrics, QueueSize


def lines(metrics: Metrics) -> list[str]:
    return metrics.text().decode().splitlines()


def test_everything_counted_is_shown() -> None:
    """Each method moves the line of its name."""
    metrics = Metrics()
    metrics.callback_accepted()
    metrics.callback_refused("signature")
    metrics.event("callback", "members_joined", "done")
    metrics.event_lag("callback", 0.2)
    metrics.action("send_card", "done")
    metrics.api_call("groupchat/get", 0)
    metrics.api_call("groupchat/get", "timeout")
    metrics.open_cases(3)
    metrics.payouts(2, paused=True)
    metrics.removed_after(400)
    shown = lines(metrics)
    for line in (
        "steward_callbacks_accepted_total 1.0",
        'steward_callbacks_refused_total{cause="signature"} 1.0',
        'steward_events_total{kind="members_joined",result="done",source="callback"} 1.0',
        'steward_event_lag_seconds_bucket{le="0.25",source="callback"} 1.0',
        'steward_event_lag_seconds_bucket{le="0.1",source="callback"} 0.0',
        'steward_actions_total{kind="send_card",result="done"} 1.0',
        'steward_api_calls_total{endpoint="groupchat/get",errcode="0"} 1.0',
        'steward_api_calls_total{endpoint="groupchat/get",errcode="timeout"} 1.0',
        "steward_open_cases 3.0",
        "steward_payouts_unknown 2.0",
        "steward_payouts_paused 1.0",
        'steward_removal_seconds_bucket{le="600.0"} 1.0',
    ):
        assert line in shown


def test_a_queue_that_emptied_disappears() -> None:
    """Queue sizes are a picture of now: a lane with nothing in it is not shown with its last figure."""
    metrics = Metrics()
    metrics.queues([QueueSize("inbox", "normal", "open", 5, 12.5), QueueSize("outbox", "removal", "open", 1, 1)])
    assert 'steward_queue_depth{lane="normal",queue="inbox",state="open"} 5.0' in lines(metrics)
    assert 'steward_queue_oldest_seconds{lane="normal",queue="inbox",state="open"} 12.5' in lines(metrics)
    metrics.queues([QueueSize("outbox", "removal", "open", 2, 1)])
    assert not [line for line in lines(metrics) if line.startswith("steward_queue") and 'queue="inbox"' in line]
    assert 'steward_queue_depth{lane="removal",queue="outbox",state="open"} 2.0' in lines(metrics)


def test_two_bots_in_one_process_count_apart() -> None:
    """There is no global registry."""
    one, other = Metrics(), Metrics()
    one.callback_accepted()
    assert "steward_callbacks_accepted_total 0.0" in lines(other)


def test_dead_letters_are_shown_also_when_there_is_none() -> None:
    """An alert on dead letters has a figure to look at before the first one, and after the last one is gone."""
    metrics = Metrics()
    metrics.queues([])
    assert 'steward_dead_letters{queue="inbox"} 0.0' in lines(metrics)
    metrics.queues([QueueSize("outbox", "removal", "dead", 2, 60), QueueSize("outbox", "normal", "dead", 1, 60)])
    assert 'steward_dead_letters{queue="outbox"} 3.0' in lines(metrics)
    metrics.queues([])
    assert 'steward_dead_letters{queue="outbox"} 0.0' in lines(metrics)


def test_groups_are_counted_by_what_is_known_of_them() -> None:
    """Each group in one state, and how long ago the one that was read longest ago was read."""
    metrics = Metrics()
    metrics.groups({"settled": 3, "out_of_sight": 1}, 90)
    metrics.groups({"settled": 4, "out_of_sight": 0}, 60)
    assert 'steward_groups{state="settled"} 4.0' in lines(metrics)
    assert 'steward_groups{state="out_of_sight"} 0.0' in lines(metrics)
    assert "steward_groups_oldest_read_seconds 60.0" in lines(metrics)
