from waypost.guard.health import GuardHealth


def test_a_failure_is_forgotten_with_success_or_time():
    now = [100.0]
    health = GuardHealth(clock=lambda: now[0])
    assert health.error("pii") == ""
    health.note("pii", "queue full")
    health.note("jailbreak", "")
    assert (health.error("pii"), health.error("jailbreak")) == ("queue full", "")
    now[0] += 31
    assert health.error("pii") == ""
    health.note("pii", "late")
    health.note("pii", "")
    assert health.error("pii") == ""
