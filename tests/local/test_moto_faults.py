from local.moto_faults import Faults

UPDATE = "DynamoDB_20120810.UpdateItem"


def test_each_nth_call_of_one_operation_fails() -> None:
    faults = Faults.read({"operations": [UPDATE], "every": 3, "took_effect": True})
    answers = [faults.next(UPDATE) for _ in range(7)]
    assert [answer is not None for answer in answers] == [False, False, True, False, False, True, False]
    assert answers[2] is not None
    assert answers[2].took_effect
    assert answers[2].answer[0] == 500
    assert faults.next("DynamoDB_20120810.PutItem") is None


def test_nothing_fails_unless_somebody_asks_for_it() -> None:
    assert Faults().next(UPDATE) is None
    assert Faults.read({"every": 0}).next("") is None
