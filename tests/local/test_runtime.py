import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from local.runtime import FunctionLimits, FunctionPool, FunctionTimeoutError, Handler, Json, LambdaContext
from tests.waiting import PATIENCE


def pool(make: Callable[[], Handler], *, seconds: float = PATIENCE, environments: int = 2) -> FunctionPool:
    limits = FunctionLimits(
        name="Toy",
        arn="arn:aws:lambda:x:1:function:Toy",
        timeout=timedelta(seconds=seconds),
        memory_mb=512,
        environments=environments,
    )
    return FunctionPool(limits, make)


def always(handler: Handler) -> Callable[[], Handler]:
    return lambda: handler


def test_an_environment_is_built_once_and_kept() -> None:
    built: list[int] = []

    def make() -> Handler:
        built.append(1)
        return lambda event, _context: [event, threading.get_ident()]

    toy = pool(make)
    first, second = (toy.submit(n).result(PATIENCE) for n in (1, 2))
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert (first[0], second[0], len(built)) == (1, 2, 1)
    assert first[1] == second[1]  # on the same thread, so that an environment's event loop stays on its own thread


def test_concurrent_invocations_get_an_environment_each_up_to_the_limit() -> None:
    inside = threading.Semaphore(0)
    let_go = threading.Event()
    most: list[int] = []
    running: set[int] = set()

    def handler(event: Json, _context: LambdaContext) -> Json:
        running.add(threading.get_ident())
        most.append(len(running))
        inside.release()
        let_go.wait(PATIENCE)
        running.discard(threading.get_ident())
        return event

    toy = pool(always(handler))
    outcomes = [toy.submit(n) for n in range(5)]
    for _ in range(2):
        assert inside.acquire(timeout=PATIENCE)
    let_go.set()
    assert [outcome.result(PATIENCE) for outcome in outcomes] == [0, 1, 2, 3, 4]
    assert max(most) == 2


def test_the_context_has_the_values_of_lambdas() -> None:
    def handler(_event: Json, context: LambdaContext) -> Json:
        remaining = context.get_remaining_time_in_millis()
        return [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb, remaining]

    answer = pool(always(handler)).submit(None).result(PATIENCE)
    assert isinstance(answer, list)
    assert answer[:3] == ["Toy", "arn:aws:lambda:x:1:function:Toy", "512"]
    assert 0 < answer[3] <= PATIENCE * 1000


def test_caller_and_function_share_no_object() -> None:
    event: dict[str, Json] = {"list": [1]}
    answer = pool(always(lambda e, _: e)).submit(event).result(PATIENCE)
    assert answer == event
    assert answer is not event


@pytest.mark.parametrize("answer", [{1, 2}, object()])
def test_an_answer_that_is_not_json_is_the_functions_error(answer: object) -> None:
    with pytest.raises(TypeError):
        pool(always(lambda _event, _context: answer)).submit(None).result(PATIENCE)


def test_an_exception_is_the_outcome_and_the_environment_stays() -> None:
    def handler(event: Json, _context: LambdaContext) -> Json:
        if event == "bad":
            raise KeyError("bad")
        return threading.get_ident()

    toy = pool(always(handler))
    before = toy.submit("good").result(PATIENCE)
    with pytest.raises(KeyError):
        toy.submit("bad").result(PATIENCE)
    assert toy.submit("good").result(PATIENCE) == before


def test_a_time_out_is_a_failure_and_ends_the_environment() -> None:
    let_go = threading.Event()

    def handler(event: Json, _context: LambdaContext) -> Json:
        if event == "hang":
            let_go.wait(PATIENCE)
        return threading.get_ident()

    toy = pool(always(handler), seconds=2, environments=1)
    before = toy.submit("go").result(PATIENCE)
    hanging = toy.submit("hang")
    waiting = toy.submit("go")
    with pytest.raises(FunctionTimeoutError, match="runs on"):
        hanging.result(PATIENCE)
    assert waiting.result(PATIENCE) != before
    let_go.set()


def test_a_failing_build_is_reported_at_the_warm_up() -> None:
    def make() -> Handler:
        raise RuntimeError("no configuration")

    with pytest.raises(RuntimeError, match="no configuration"):
        pool(make).warm_up()
