"""Sets and maps of a million digests behave like Python's own."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.duplicates.dedupe_key import DigestCount, DigestMap

digests = st.integers(0, 300).map(lambda number: hashlib.sha256(str(number).encode()).digest()[:16])


@given(st.lists(digests))
def test_the_count_equals_that_of_a_set(given_digests: list[bytes]) -> None:
    count = DigestCount()
    for digest in given_digests:
        count.add(digest)
    assert count.different() == len(set(given_digests))


def test_the_map_behaves_like_a_dict_while_it_grows() -> None:
    found, expected = DigestMap(), dict[bytes, int]()
    for number in range(5000):
        digest = hashlib.sha256(str(number % 4000).encode()).digest()[:16]
        assert found.get(digest) == expected.get(digest)
        found.put(digest, number)
        expected[digest] = number
    assert dict(found.drain()) == expected
    assert list(found.drain()) == []
