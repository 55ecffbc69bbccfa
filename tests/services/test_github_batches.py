"""Questions of many workers gathered into calls."""

import asyncio
import itertools

from forge.services.github_answers import Reply
from forge.services.github_batches import Batches


def calls_for(questions: int, workers: int, size: int) -> list[int]:
    """How many questions each call held, where answers come sooner and later by turns."""
    sizes, waits = [], itertools.cycle((0.03, 0.11, 0.05, 0.17, 0.07))

    async def send(several: list[str]) -> list[Reply]:
        sizes.append(len(several))
        await asyncio.sleep(next(waits))
        return [Reply({"name": one}) for one in several]

    async def ask_all() -> None:
        batches, left = Batches(send, size), iter(range(questions))

        async def work() -> None:
            for number in left:
                found = await batches.ask(str(number))
                assert found.node == {"name": str(number)}

        await asyncio.gather(*[work() for _ in range(workers)])

    asyncio.run(ask_all())
    return sizes


def test_calls_are_full_while_others_are_on_their_way():
    sizes = calls_for(1_400, workers=100, size=14)
    assert len(sizes) <= 110


def test_few_questions_need_not_wait_for_more():
    assert calls_for(3, workers=3, size=70) == [3]


def test_what_is_left_over_is_asked_at_the_end():
    assert sum(calls_for(45, workers=45, size=10)) == 45
