import asyncio

from fakes.loops import until

from llmopt_operator.tasks import TaskPerName


def test_each_name_has_one_task_and_none_ends_another(caplog):
    """A task that hangs or fails leaves the others, and later tasks of its name, alone."""

    async def story():
        done, hold = [], asyncio.Event()

        async def work(name):
            if name == "bad":
                raise KeyError("garbage")
            if name == "slow":
                await hold.wait()
            done.append(name)

        async with TaskPerName() as tasks:
            assert [tasks.start(name, work, name) for name in ("slow", "bad", "quick", "slow")] == [
                True, True, True, False,
            ]  # fmt: skip
            await until(lambda: tasks.start("quick", work, "quick"))
            await until(lambda: tasks.start("bad", work, "bad"))
            hold.set()
            await until(lambda: len(done) == 3)
            await until(lambda: tasks.start("slow", work, "slow"))
        assert sorted(done) == ["quick", "quick", "slow"]

    asyncio.run(story())
    assert "bad: the operator itself failed" in caplog.text
