from dataclasses import replace

import pytest

from federation.evidence.account import (
    Crossed,
    DifferenceKind,
    Head,
    Held,
    Judgement,
    Way,
    agree,
    day_of,
    differences,
    judge,
    tally,
)
from federation.evidence.journal import Epoch
from tests.support.samples import message_id, some

FIRST = Epoch(number=1, first=0)
RESTORED = Epoch(number=1_800_000_000, first=10)
AGAIN = Epoch(number=1_800_500_000, first=8)


def entry(number, *, receipted=True, content="first"):
    return Crossed(message_id=message_id(number), commitment=some(f"{content} {number}"), receipted=receipted)


def found(mine, theirs, way):
    return list(differences(mine, theirs, way=way))


def test_what_is_not_receipted_is_under_way_and_no_difference():
    assert found([entry(1, receipted=False)], [], Way.SENT) == []
    assert found([], [entry(1, receipted=False)], Way.RECEIVED) == []
    assert found([entry(1, receipted=False)], [entry(1)], Way.SENT) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "way", "kind"),
    [
        ([1, 2], [1], Way.SENT, DifferenceKind.LOST_THERE),
        ([1, 2], [1], Way.RECEIVED, DifferenceKind.FORGOTTEN_THERE),
        ([1], [1, 2], Way.SENT, DifferenceKind.FORGOTTEN_HERE),
        ([1], [1, 2], Way.RECEIVED, DifferenceKind.LOST_HERE),
    ],
)
def test_a_message_that_one_side_lacks_has_a_name(mine, theirs, way, kind):
    assert found([entry(one) for one in mine], [entry(one) for one in theirs], way) == [(kind, message_id(2))]


def test_another_content_under_one_id_is_told():
    assert found([entry(1)], [entry(1, content="second")], Way.SENT) == [(DifferenceKind.ALTERED, message_id(1))]


def test_a_tally_counts_of_what_was_sent_only_what_was_receipted():
    mine = tally(7, sent=[entry(1), entry(2, receipted=False)], received=[entry(3)])
    theirs = tally(7, sent=[entry(3)], received=[entry(1)])

    assert (mine.sent, mine.received) == (1, 1)
    assert agree(mine, theirs)
    assert agree(theirs, mine)
    assert not agree(mine, replace(theirs, day=8))
    assert not agree(mine, tally(7, sent=[entry(3)], received=[entry(1), entry(2)]))
    assert not agree(mine, tally(7, sent=[entry(3, content="second")], received=[entry(1)]))


def test_no_two_lists_of_messages_have_one_digest():
    lists = [[], [entry(1)], [entry(2)], [entry(1), entry(2)], [entry(1, content="second")]]

    assert len({tally(1, sent=one, received=()).sent_digest for one in lists}) == len(lists)


def test_a_day_ends_at_midnight_by_utc():
    assert [day_of(at) for at in (0, 86_399.9, 86_400)] == [0, 0, 1]


def judged(held, *, epochs, heads=(), size=20):
    return judge(Held(epoch=held[0], size=held[1], root=some("root")), epochs=epochs, heads=heads, size=size)


def test_a_checkpoint_that_the_journal_continues_is_good():
    heads = [Head(size=5, root=some("root"))]
    assert judged((1, 5), epochs=[FIRST], heads=heads) is Judgement.GOOD
    assert judged((1, 5), epochs=[FIRST, RESTORED], heads=heads) is Judgement.GOOD


def test_every_journal_continues_the_empty_one():
    assert judged((1, 0), epochs=[FIRST]) is Judgement.GOOD
    assert judged((1, 0), epochs=[FIRST, RESTORED]) is Judgement.GOOD


def test_another_root_at_a_size_is_a_rewritten_journal():
    heads = [Head(size=5, root=some("another root"))]
    assert judged((1, 5), epochs=[FIRST], heads=heads) is Judgement.REWRITTEN
    assert (
        judged((1, 5), epochs=[FIRST, RESTORED], heads=heads) is Judgement.REWRITTEN
    )  # a new epoch does not change what was before


def test_what_cannot_be_shown_or_is_gone_is_told():
    assert judged((1, 5), epochs=[FIRST], heads=[Head(size=5, root=b"")]) is Judgement.NOT_SHOWN
    assert judged((1, 21), epochs=[FIRST]) is Judgement.SHORTENED
    assert judged((RESTORED.number, 15), epochs=[FIRST]) is Judgement.EPOCH_GONE


def test_what_a_node_forgot_behind_its_backup_contradicts_nothing():
    assert judged((1, 15), epochs=[FIRST, RESTORED]) is Judgement.FORGOTTEN
    assert judged((RESTORED.number, 15), epochs=[FIRST, AGAIN]) is Judgement.FORGOTTEN  # put back once more, from an older copy
    longer = replace(
        AGAIN, first=17
    )  # which was longer than the first one: leaf 15 is in it, and was never in the epoch that is gone
    assert judged((RESTORED.number, 15), epochs=[FIRST, longer], heads=[Head(size=15, root=some("other"))]) is Judgement.FORGOTTEN
    assert judged((1, 10), epochs=[FIRST, RESTORED], heads=[Head(size=10, root=b"")]) is Judgement.NOT_SHOWN
