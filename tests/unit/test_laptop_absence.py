"""The grace of a family device that was lost."""

from laptop.rules.absence import Absences


def test_it_counts_from_when_it_was_lost_and_anew_after_each_return() -> None:
    absences = Absences(60)
    assert absences.over({"family-1"}, 100) == []
    assert absences.over({"family-1"}, 159.9) == []
    assert absences.over(set(), 160) == [], "it came back"
    assert absences.over({"family-1", "family-2"}, 161) == []
    assert absences.over({"family-1"}, 221) == ["family-1"]


def test_without_a_grace_it_is_over_at_once() -> None:
    assert Absences(0).over({"family-3"}, 5) == ["family-3"]
