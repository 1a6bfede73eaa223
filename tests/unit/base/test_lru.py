"""A worker's memory is limited, and used entries stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.caches import LruCache


def test_the_entry_unused_for_longest_is_removed() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache["a"], cache["b"] = 1, 2
    assert cache["a"] == 1
    cache["c"] = 3
    assert dict(cache.items()) == {"a": 1, "c": 3}
    assert cache.get("b") is None
    with pytest.raises(KeyError):
        cache["b"]


def test_a_write_counts_as_use_and_a_membership_test_does_not() -> None:
    cache: LruCache[str, int] = LruCache(2)
    cache.update(a=1, b=2)
    assert "a" in cache
    cache["b"] = 3
    cache["c"] = 4
    assert list(cache) == ["b", "c"]


@given(keys=st.lists(st.integers(0, 9)), most=st.integers(1, 4))
def test_it_holds_the_latest_entries_up_to_its_limit(keys: list[int], most: int) -> None:
    cache: LruCache[int, int] = LruCache(most)
    for at, key in enumerate(keys):
        cache.setdefault(key, at)
    latest = list(dict.fromkeys(reversed(keys)))[:most]
    assert set(cache) == set(latest)
    assert len(cache) == len(latest)
    for key in list(cache):
        del cache[key]
    assert not cache
