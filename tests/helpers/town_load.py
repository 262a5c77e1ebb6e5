"""A load that is made up: what is known of it can be tested without measured data."""

import numpy as np
import pandas as pd

from tvilling.datasets.simulated.heat_load import lagged

SLOPE_MW_PER_K, BASE_MW, NOISE_MW = 5.0, 30.0, 3.0


def town_history(days: int = 200, start: str = "2021-01-01", seed: int = 0) -> pd.DataFrame:
    """Degrees below 17 °C after a lag of a day, a daily course in local time, noise of 3 MW."""
    time = pd.date_range(start, periods=24 * days, freq="h")
    random = np.random.default_rng(seed)
    hour = np.arange(len(time))
    season = -9 * np.cos(2 * np.pi * (time.dayofyear.to_numpy() - 29) / 365.25)
    weather = lagged(60 * random.standard_normal(len(time)), 1.0, 60.0)
    outdoor = 8 + season + weather + 2 * np.sin(2 * np.pi * (hour - 9) / 24)
    local = time.tz_localize("UTC").tz_convert("Europe/Copenhagen")
    course = 1 + 0.2 * np.sin(2 * np.pi * (local.hour.to_numpy() - 4) / 24)
    heat = SLOPE_MW_PER_K * np.maximum(17 - lagged(outdoor, 1.0, 24.0), 0)
    load = (BASE_MW + heat) * course + NOISE_MW * random.standard_normal(len(time))
    return pd.DataFrame({"load_mw": load, "outdoor_degc": outdoor}, index=time)
