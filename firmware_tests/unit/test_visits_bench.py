"""What the benchmark of visits counts, which no machine's speed changes."""

from tools.bench import visits


def test_a_resumed_visit_is_one_round_trip_of_few_bytes():
    found = visits.measured()
    assert found["first"]["turns"] == 2
    assert found["first"]["from phone"] == [162, 3]
    assert found["resumed"]["turns"] == 1
    assert found["resumed"]["from phone"] == [21, 1]
    assert found["resumed"]["from lock"] == [22, 2]
    assert 0 < 100 * found["resumed"]["garbage"] < found["challenge"]["garbage"]
