"""Trigger experiments: size, coverage and power of their own test on generated brands, against what was foretold.

Part of benchmarks.experiments. A panel is a brand of its own, seeded as no brand was while the code was written: 24
places, 428 days; ads answer to cold (1 standard deviation, as forecast the day before) with three days of washout in the last
56 to 60 of them. Days before foretell the power.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from benchmarks.experiment_truth import FRESH, JUDGED, many_geos
from benchmarks.figure import Figure
from weathervane.contracts.experiment_design import (
    AssignedGeo,
    BalanceRule,
    Cell,
    Constraints,
    ExperimentDesign,
    Kind,
    TriggerPlan,
    TriggerRule,
)
from weathervane.contracts.period import Period
from weathervane.experiments.inference import randomisation
from weathervane.experiments.panel import Floats, Panel
from weathervane.experiments.trigger import schedule_set
from weathervane.experiments.trigger_effect import by_episode, contrast, episodes_of, pattern_of, unexplained
from weathervane.experiments.trigger_power import simulate_triggers
from weathervane.experiments.weather_adjustment import adjust_for_weather
