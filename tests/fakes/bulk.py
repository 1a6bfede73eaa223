"""Distributions, plans and uploads in memory."""

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.base.ids import shard_of
from shared.base.instants import from_milliseconds, milliseconds
from shared.base.refusal import FieldError
from shared.campaigns.counts import Due, Group, Place, Singles, Tally, group_of
from shared.campaigns.distribution import Counts, Distribution, Order, Upload
from shared.campaigns.ports import DistributionQuery
from shared.campaigns.stored_content import DuplicateRow, PlannedRow, Readable, UploadTarget
from shared.duplicates.dedupe_index import without
from shared.messages.message import Chunk, PayloadRef
from shared.messages.payload import Payload
from shared.messages.ports import Page
from shared.statistics.shares import Cells, Leaf, Rest, Share
from shared.statistics.sums import SUM_SHARDS, Period, Refused, Sum, Target, place_of_campaign
from shared.storage.codec import encode
from shared.storage.dynamodb.message_item import single_key, singles_of
from tests.fakes.world import Points


class FakeDistributions:
    """Implements `Distributions` in memory."""

    def __init__(self, points: Points) -> None:
        self.items: dict[tuple[str, str], Distribution] = {}
        self.chunks: dict[tuple[str, Place], Counts] = {}
        self.logged: dict[tuple[str, Place], Tally] = {}
        self.recounts: dict[tuple[str, Place], datetime] = {}
        self.wishes: Counter[tuple[str, Place]] = Counter()
        self.counted_at: dict[tuple[str, Place], datetime] = {}
        self.accepted: dict[tuple[str, Place], tuple[datetime, datetime]] = {}
        self.changes: Counter[tuple[str, Place | Rest]] = Counter()
        self.unsummed: set[tuple[str, Place | Rest]] = set()
        self._points = points

    async def create(self, distribution: Distribution) -> Distribution | None:
        await self._points("distributions.create")
        key = (distribution.organisation, distribution.distribution_id)
        if key in self.items and self.items[key] != distribution:
            return self.items[key]
        self.items[key] = distribution
        return None

    async def get(self, organisation: str, distribution_id: str) -> Distribution | None:
        await self._points("distributions.get")
        return self.items.get((organisation, distribution_id))

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Mapping[str, Distribution]:
        await self._points("distributions.get_many")
        return {key[1]: self.items[key] for key in keys if key in self.items}

    async def save(self, distribution: Distribution) -> Distribution | None:
        await self._points("distributions.save")
        key = (distribution.organisation, distribution.distribution_id)
        saved = replace(distribution, revision=distribution.revision + 1, rest=distribution.rest_now)
        stands = self.items.get(key)
        if stands is None or (stands.revision != distribution.revision and stands != saved):
            return None
        self.items[key] = saved
        if saved.rest != distribution.rest:
            self._mark(saved.organisation, Rest(distribution_id=saved.distribution_id))
        return saved

    def _mark(self, organisation: str, place: Place | Rest) -> None:
        if isinstance(place, Chunk | Rest) or isinstance(place.group, Singles):
            self.changes[organisation, place] += 1
            self.unsummed.add((organisation, place))

    async def page(self, query: DistributionQuery, position: str | None, limit: int) -> Page[Distribution]:
        await self._points("distributions.page")
        found = {
            f"{one.created_at.timestamp():020.6f}#{one.distribution_id}": one
            for one in self.items.values()
            if one.organisation == query.organisation
            and query.campaign_id in (None, one.campaign_id)
            and query.status in (None, one.status)
            and query.channel in (None, one.channel)
            and (query.since is None or one.created_at >= query.since)
            and (query.until is None or one.created_at < query.until)
        }
        places = [place for place in sorted(found, reverse=True) if position is None or place < position]
        return Page(
            items=[found[place] for place in places[:limit]],
            position=places[limit - 1] if len(places) > limit else None,
        )

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        await self._points("distributions.due")
        observed_by = [
            (one.due_at, Due(organisation=key[0], group=key[1]))
            for key, one in self.items.items()
            if one.due_at is not None
        ]
        observed_by += [
            (at, Due(organisation=owner, group=group_of(place), recount=True))
            for (owner, place), at in self.recounts.items()
        ]
        due = sorted((one for one in observed_by if one[0] <= now), key=lambda one: (one[0], str(one[1].group)))[:limit]
        return list(dict.fromkeys(one for _, one in due))

    async def want_recount(self, organisation: str, place: Place, at: datetime) -> None:
        await self._points("distributions.want_recount")
        self.recounts[organisation, place] = from_milliseconds(milliseconds(at))
        self.wishes[organisation, place] += 1

    async def recounted(self, organisation: str, place: Place, *, wishes: int) -> None:
        await self._points("distributions.recounted")
        if self.wishes[organisation, place] == wishes:
            self.recounts.pop((organisation, place), None)

    async def count(
        self,
        organisation: str,
        place: Place,
        change: Counts,
        *,
        began: datetime,
        recount_at: datetime | None = None,
        accepted_at: datetime | None = None,
    ) -> bool:
        await self._points("distributions.count")
        key = (organisation, place)
        if change == Counts():
            return True
        if key in self.counted_at and milliseconds(began) <= milliseconds(self.counted_at[key]):
            return False
        if recount_at is not None:
            self.recounts.setdefault(key, from_milliseconds(milliseconds(recount_at)))
        if accepted_at is not None:
            at = from_milliseconds(milliseconds(accepted_at))
            self.accepted[key] = (self.accepted.get(key, (at, at))[0], at)
        self.chunks[key] = self.chunks.get(key, Counts()).plus(change)
        self._mark(organisation, place)
        return True

    async def set_counts(
        self, organisation: str, place: Place, counts: Counts, *, seen: Counts, read_at: datetime
    ) -> bool:
        await self._points("distributions.set_counts")
        key = (organisation, place)
        if self.chunks.get(key, Counts()).plus(Counts()) != seen:
            return False
        self.chunks[key] = counts
        self.counted_at[key] = read_at
        self._mark(organisation, place)
        return True

    async def tally(self, organisation: str, place: Place) -> Tally:
        await self._points("distributions.tally")
        return self.known(organisation, place)

    async def counts(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Counts]:
        await self._points("distributions.counts")
        return {
            (place.run, place.number): counts
            for (owner, place), counts in self.chunks.items()
            if owner == organisation and group_of(place) == group
        }

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        await self._points("distributions.note_logged")
        key = (organisation, chunk)
        first = self.logged[key].accepted_at if key in self.logged else None
        self.logged[key] = Tally(accepted_at=first or from_milliseconds(milliseconds(at)), rows=dict(rows))
        self._mark(organisation, chunk)

    async def tallies(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Tally]:
        await self._points("distributions.tallies")
        return {
            (place.run, place.number): self.known(owner, place)
            for owner, place in {**self.chunks, **self.logged, **self.recounts}
            if owner == organisation and group_of(place) == group
        }

    def known(self, organisation: str, place: Place) -> Tally:
        key = (organisation, place)
        tally = self.logged.get(key, Tally())
        if key in self.accepted:
            tally = replace(tally, accepted_at=self.accepted[key][0], last_at=self.accepted[key][1])
        return replace(
            tally,
            counts=self.chunks.get(key, Counts()),
            recount_at=self.recounts.get(key),
            wishes=self.wishes[key],
        )


class FakeSums:
    """Implements `SumStore` in memory, on the counts of `FakeDistributions`."""

    def __init__(self, points: Points, distributions: FakeDistributions) -> None:
        self.sums: dict[tuple[str, Target], Sum] = {}
        self.summed: dict[tuple[str, Place | Rest], Share] = {}
        self._distributions = distributions
        self._points = points

    async def is_unsummed(self, shard: int) -> bool:
        await self._points("sums.is_unsummed")
        return any(shard_of(owner, SUM_SHARDS) == shard for owner, _ in self._distributions.unsummed)

    async def unsummed(
        self, shard: int, position: str | None, limit: int, *, organisation: str | None = None
    ) -> tuple[Sequence[Leaf], str | None]:
        await self._points("sums.unsummed")
        waiting = {
            f"{owner}#{place}": (owner, place)
            for owner, place in self._distributions.unsummed
            if shard_of(owner, SUM_SHARDS) == shard and organisation in (None, owner)
        }
        names = [name for name in sorted(waiting) if position is None or name > position]
        following = names[limit - 1] if len(names) > limit else None
        return [self._leaf(*waiting[name]) for name in names[:limit]], following

    def _leaf(self, organisation: str, place: Place | Rest) -> Leaf:
        key = (organisation, place)
        return Leaf(
            organisation=organisation,
            place=place,
            tally=Tally() if isinstance(place, Rest) else self._distributions.known(organisation, place),
            changes=self._distributions.changes[key],
            summed=self.summed.get(key),
        )

    async def read(self, organisation: str, targets: Sequence[Target]) -> Mapping[Target, Sum]:
        await self._points("sums.read")
        return {one: self.sums[organisation, one] for one in targets if (organisation, one) in self.sums}

    async def between(
        self, organisation: str, campaign_id: str | None, period: Period, first: int, end: int
    ) -> Mapping[int, Cells]:
        await self._points("sums.between")
        return {
            target.number: one.cells
            for (owner, target), one in self.sums.items()
            if (owner, target.campaign_id, target.period) == (organisation, campaign_id, period)
            and first <= target.number < end
        }

    async def campaigns(
        self, organisation: str, position: str | None, limit: int
    ) -> tuple[Sequence[tuple[str, Sum]], str | None]:
        await self._points("sums.campaigns")
        found = {
            place_of_campaign(target.campaign_id or "", one.first_at): (target.campaign_id or "", one)
            for (owner, target), one in self.sums.items()
            if owner == organisation and target.period is Period.TOTAL and one.first_at is not None
        }
        places = [place for place in sorted(found, reverse=True) if position is None or place < position]
        following = places[limit - 1] if len(places) > limit else None
        return [found[place] for place in places[:limit]], following

    async def write(
        self, organisation: str, leaves: Sequence[tuple[Leaf, Share]], sums: Mapping[Target, Sum]
    ) -> Refused | None:
        await self._points("sums.write")
        changed = {
            number
            for number, (leaf, _) in enumerate(leaves)
            if (leaf.changes, leaf.summed)
            != (self._distributions.changes[organisation, leaf.place], self.summed.get((organisation, leaf.place)))
        }
        lost = any(self.sums.get((organisation, one), Sum()).revision != sum_.revision for one, sum_ in sums.items())
        if changed or lost:
            return Refused(leaves=frozenset(changed), sums=lost)
        for leaf, share in leaves:
            self.summed[organisation, leaf.place] = share
            self._distributions.unsummed.discard((organisation, leaf.place))
        self.sums |= {(organisation, one): replace(sum_, revision=sum_.revision + 1) for one, sum_ in sums.items()}
        return None


class FakeTurns:
    """Implements `Turns` in memory."""

    def __init__(self, points: Points) -> None:
        self.taken: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._points = points

    async def take(self, organisation: str, campaign_id: str, distribution_id: str) -> Sequence[str]:
        await self._points("turns.take")
        taken = self.taken[organisation, campaign_id]
        if distribution_id not in taken:
            taken.append(distribution_id)
        return taken[: taken.index(distribution_id)]


class FakePlans:
    """Implements `Plans` in memory."""

    def __init__(self, points: Points) -> None:
        self.objects: dict[str, object] = {}
        self._points = points

    async def write_order(self, organisation: str, distribution_id: str, order: Order) -> str:
        await self._points("plans.write_order")
        name = _named(order)
        self.objects[f"order/{organisation}/{distribution_id}/{name}"] = order
        return name

    async def read_order(self, organisation: str, distribution_id: str, name: str) -> Order | None:
        await self._points("plans.read_order")
        order = self.objects.get(f"order/{organisation}/{distribution_id}/{name}")
        assert order is None or isinstance(order, Order)
        return order

    async def write_chunk(self, organisation: str, attempt: int, chunk: Chunk, rows: Sequence[PlannedRow]) -> None:
        await self._points("plans.write_chunk")
        self.objects.setdefault(self.chunk_key(organisation, attempt, chunk), tuple(rows))

    async def read_chunk(self, organisation: str, attempt: int, chunk: Chunk) -> Sequence[PlannedRow] | None:
        await self._points("plans.read_chunk")
        key = self.chunk_key(organisation, attempt, chunk)
        return self._rows(key) if key in self.objects else None

    async def chunks(self, organisation: str, distribution_id: str, attempt: int) -> Sequence[Chunk]:
        await self._points("plans.chunks")
        prefix = f"{organisation}/{distribution_id}/{attempt}/"
        places = [key.removeprefix(prefix).split("/") for key in self.objects if key.startswith(prefix)]
        numbers = sorted((int(run), int(number)) for run, number in places)
        return [Chunk(distribution_id=distribution_id, run=run, number=number) for run, number in numbers]

    def chunk_key(self, organisation: str, attempt: int, chunk: Chunk) -> str:
        return f"{organisation}/{chunk.distribution_id}/{attempt}/{chunk.run}/{chunk.number}"

    async def write_dedupe_index(self, organisation: str, distribution_id: str, attempt: int, book: bytes) -> None:
        await self._points("plans.write_dedupe_index")
        self.objects.setdefault(f"dedupe_index/{organisation}/{distribution_id}/{attempt}", book)

    async def read_dedupe_index(self, organisation: str, distribution_id: str, attempt: int) -> bytes | None:
        await self._points("plans.read_dedupe_index")
        found = self.objects.get(f"dedupe_index/{organisation}/{distribution_id}/{attempt}")
        assert found is None or isinstance(found, bytes)
        return found

    async def write_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int, field_errors: Sequence[FieldError]
    ) -> None:
        await self._points("plans.write_field_errors")
        self.objects[f"field_errors/{organisation}/{distribution_id}/{attempt}/{part}"] = tuple(field_errors)

    async def read_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[FieldError] | None:
        await self._points("plans.read_field_errors")
        found = self.objects.get(f"field_errors/{organisation}/{distribution_id}/{attempt}/{part}")
        assert found is None or isinstance(found, tuple)
        return found

    async def write_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int, rows: Sequence[DuplicateRow]
    ) -> None:
        await self._points("plans.write_duplicates")
        self.objects[f"duplicates/{organisation}/{distribution_id}/{attempt}/{part}"] = tuple(rows)

    async def read_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[DuplicateRow] | None:
        await self._points("plans.read_duplicates")
        found = self.objects.get(f"duplicates/{organisation}/{distribution_id}/{attempt}/{part}")
        assert found is None or isinstance(found, tuple)
        return found

    async def write_payload(self, organisation: str, person: str, message_id: str, payload: Payload) -> PayloadRef:
        await self._points("plans.write_payload")
        key = single_key(organisation, person, message_id, _named(payload))
        self.objects.setdefault(key, payload)
        return PayloadRef(object_key=key)

    async def read_payload(self, reference: PayloadRef) -> Payload | None:
        await self._points("plans.read_payload")
        found = self.objects.get(reference.object_key)
        if reference.row is None:
            assert found is None or isinstance(found, Payload)
            return found
        rows = self._rows(reference.object_key) if found else ()
        return next((row.payload for row in rows if row.row == reference.row), None)

    async def erase_payload(self, reference: PayloadRef) -> None:
        await self._points("plans.erase_payload")
        if reference.row is None:
            self.objects.pop(reference.object_key, None)
        else:
            self._blank(reference.object_key, {reference.row})

    async def erase_singles(self, organisation: str, person: str, *, but: Collection[str]) -> None:
        await self._points("plans.erase_singles")
        prefix = singles_of(organisation, person)
        for key in [key for key in self.objects if key.startswith(prefix)]:
            if key.removeprefix(prefix).partition(".")[0] not in but:
                del self.objects[key]

    async def erase_person(self, organisation: str, attempt: int, chunk: Chunk, person: str) -> None:
        await self._points("plans.erase_person")
        key = self.chunk_key(organisation, attempt, chunk)
        rows = self._rows(key) if key in self.objects else ()
        self._blank(key, {row.row for row in rows if row.person == person})

    def _blank(self, key: str, numbers: Collection[int]) -> None:
        organisation, distribution_id, attempt, *_ = key.split("/")
        dedupe_index = f"dedupe_index/{organisation}/{distribution_id}/{attempt}"
        if isinstance(book := self.objects.get(dedupe_index), bytes):
            self.objects[dedupe_index] = without(book, numbers)
        if key in self.objects:
            self.objects[key] = tuple(
                replace(row, payload=None, person="") if row.row in numbers else row for row in self._rows(key)
            )

    def _rows(self, key: str) -> Sequence[PlannedRow]:
        rows = self.objects[key]
        assert isinstance(rows, tuple)
        return rows


def _named(value: object) -> str:
    """The name of an object comes from its content, as on S3."""
    return hashlib.sha256(encode(value)).hexdigest()[:32]


class FakeUploads:
    """Implements `Uploads`. A test puts the content in; every version stays."""

    def __init__(self, points: Points) -> None:
        self.files: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        self._points = points

    def put(self, organisation: str, upload_id: str, form: str, content: bytes) -> None:
        self.files[f"{organisation}/{upload_id}"].append((form, content))

    async def target(self, organisation: str, upload_id: str, *, format: str, size: int, now: datetime) -> UploadTarget:
        headers = {"Content-Type": format, "Content-Length": str(size)}
        url = f"https://uploads.invalid/{organisation}/{upload_id}"
        return UploadTarget(url=url, headers=headers, expires_at=now + timedelta(hours=1))

    async def find(self, organisation: str, upload_id: str) -> Upload | None:
        key = f"{organisation}/{upload_id}"
        if key not in self.files:
            return None
        return Upload(object_key=key, version=str(len(self.files[key])), format=self.files[key][-1][0])

    async def open(self, upload: Upload) -> Readable | None:
        await self._points("uploads.open")
        versions = self.files.get(upload.object_key)
        return io.BytesIO(versions[int(upload.version) - 1][1]) if versions else None

    async def erase(self, organisation: str, upload_id: str) -> None:
        await self._points("uploads.erase")
        self.files.pop(f"{organisation}/{upload_id}", None)
