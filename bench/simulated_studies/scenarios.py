"""The kinds of study that are simulated."""

import math
from dataclasses import replace

from simulated_studies.worlds import ACCURACY, LATENCY, MEMORY, SPEED, Scenario

GAIN = math.log(1.05)
NEIGHBOURS = ({SPEED: GAIN}, {SPEED: GAIN}, {SPEED: GAIN}, {SPEED: -0.05}, {SPEED: -0.1})
TRADE = ({ACCURACY: 0.14, SPEED: -0.1}, {ACCURACY: -0.1, SPEED: 0.15}, {ACCURACY: 0.05, SPEED: 0.05})
TWO, FOUR = (ACCURACY, SPEED), (ACCURACY, SPEED, LATENCY, MEMORY)
PLAIN_GAIN = Scenario("+5 % speed, one objective", (SPEED,), NEIGHBOURS)
EXPENSIVE = {"start_seconds": 142.0, "block_seconds": 60.0}
SCENARIOS = (
    Scenario("no effect, two objectives", TWO),
    Scenario("no effect, four objectives", FOUR),
    Scenario("no effect, two objectives, three finalists", TWO, forced=3),
    Scenario("no effect, four objectives, four finalists", FOUR, forced=4),
    Scenario("no effect, start spread 5 %", TWO, start_spread=0.05, forced=3),
    Scenario("no effect, start spread of the accuracy 0.03", TWO, score_spread=0.03, forced=3),
    Scenario("no effect, drifting speed", TWO, drift=0.03, forced=3),
    Scenario("no effect, 20 % of blocks disturbed", TWO, disturbed=0.2, forced=3),
    Scenario("no effect, every second configuration three times as noisy", TWO, uneven=3.0, forced=3),
    Scenario("no effect, one objective, never stopped early", (SPEED,), forced=3, stops=False),
    Scenario("no effect, two objectives, never stopped early", TWO, forced=3, stops=False),
    Scenario("no effect, four objectives, never stopped early", FOUR, forced=4, stops=False),
    PLAIN_GAIN,
    replace(PLAIN_GAIN, name="+5 % speed, one objective, up to 5 repeats", repeats=5),
    replace(PLAIN_GAIN, name="+5 % speed, one objective, one engine for all", shared=True),
    replace(PLAIN_GAIN, name="+5 % speed, one objective, the same three finalists", forced=3),
    replace(PLAIN_GAIN, name="+5 % speed, two objectives", metrics=TWO),
    replace(PLAIN_GAIN, name="+5 % speed, half the noise", start_spread=0.005, block_spread=0.0075),
    replace(PLAIN_GAIN, name="+5 % speed, twice the noise", start_spread=0.02, block_spread=0.03),
    replace(PLAIN_GAIN, name="+5 % speed, start spread 5 %", start_spread=0.05),
    replace(PLAIN_GAIN, name="+5 % speed, start spread 5 %, up to 15 repeats", start_spread=0.05, repeats=15),
    replace(PLAIN_GAIN, name="+5 % speed, drifting speed", drift=0.03),
    replace(PLAIN_GAIN, name="+5 % speed, 20 % of blocks disturbed", disturbed=0.2),
    replace(PLAIN_GAIN, name="+5 % speed, a start of 142 s", **EXPENSIVE),
    Scenario("trade-off: accuracy +0.14 and speed -10 %, or -0.10 and +16 %", TWO, TRADE),
)
