"""Grade an experiment: a split that others made, from their file, held against the tenant's own history."""

from __future__ import annotations

from pathlib import Path

from weathervane.experiments.grade import SplitGrade, grade_split
from weathervane.store.paths import Store
from weathervane.workflows.import_experiment import read_split
from weathervane.workflows.read_geo_tables import read_geo_tables


def grade_experiment(store: Store, split_file: Path) -> SplitGrade:
    """How the split of a GeoX design (JSON) or of a `geo,group` CSV stands.

    Raises BadInput for a file that is neither or names geos without data.
    """
    split = read_split(split_file)
    tables = read_geo_tables(store)
    return grade_split(tables.outcome, split, weather=tables.weather)
