"""What a worker remembers has an end, and what is used stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.caches import LruCache


def test_what_was_used_longest_ago_is_forgotten() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache["a"], cache["b"] = 1, 2
    assert cache["a"] == 1
    cache["c"] = 3
    assert dict(cache.items()) == {"a": 1, "c": 3}
    assert cache.get("b") is None
    with pytest.raises(KeyError):
        cache["b"]


def test_writing_is_using_and_looking_whether_it_is_there_is_not() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache.update(a=1, b=2)
    assert "a" in cache
    cache["b"] = 3
    cache["c"] = 4
    assert list(cache) == ["b", "c"]


@given(keys=st.lists(st.integers(0, 9)), most=st.integers(1, 4))
def test_it_holds_the_latest_and_never_more(keys: list[int], most: int) -> None:
    cache: LruCache[int, int] = LruCache(most)
    for at, key in enumerate(keys):
        cache.setdefault(key, at)
    latest = list(dict.fromkeys(reversed(keys)))[:most]
    assert set(cache) == set(latest)
    assert len(cache) == len(latest)
    for key in list(cache):
        del cache[key]
    assert not cache
