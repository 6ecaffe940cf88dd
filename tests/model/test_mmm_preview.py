"""The preview: near the full fit where it may be shown, refused where it may not."""

from __future__ import annotations

import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.contracts.errors import ModelFailed
from weathervane.model.mmm import preview as module
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.preview import preview_media_mix
from weathervane.model.mmm.priors import Priors

PANEL = weekly_panel(1, 120, (0.8, 2.0), seed=6)


@pytest.mark.slow
def test_a_national_preview_is_close_to_the_full_fit_and_says_how_far_it_can_be_trusted() -> None:
    full, quick = fit_media_mix(PANEL, Priors(), seed=1), preview_media_mix(PANEL, Priors(), seed=1)
    assert quick.k_hat <= module.K_HAT_MAX
    assert quick.effective_draws > 50
    for c in range(2):
        sd = full.roi[:, c].std()
        assert quick.roi[:, c].mean() == pytest.approx(full.roi[:, c].mean(), abs=0.35 * sd)
        assert quick.roi[:, c].std() == pytest.approx(sd, rel=0.35)
    assert (preview_media_mix(PANEL, Priors(), seed=1).roi == quick.roi).all()


def test_unreliable_weights_are_no_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "K_HAT_MAX", -np.inf)
    with pytest.raises(ModelFailed, match="cannot be trusted"):
        preview_media_mix(weekly_panel(1, 60, (1.0,), seed=1), Priors(), seed=1)
