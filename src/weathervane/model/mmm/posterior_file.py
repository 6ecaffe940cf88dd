"""The posterior as a file: NetCDF-4 as ArviZ reads it, same fit, same bytes (engines.md, "Posterior file")."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import h5netcdf
import h5py
import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import StateUnusable
from weathervane.model.mmm.engine import Estimates, Variable

Floats = NDArray[np.float64]
Attribute = str | int | float

SCHEMA_VERSION = 1
_REMEDY = "update WeatherVane, or run `weathervane train`."


@dataclass(frozen=True)
class Posterior:
    """What such a file holds: attributes, names along each axis, and arrays of each group by name."""

    attributes: Mapping[str, Attribute]
    labels: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, Mapping[str, Variable]]

    @property
    def peak(self) -> Floats | None:
        """Where the next fit may start, for engines that have such a thing."""
        kept = self.groups["sample_stats"].get("peak")
        return None if kept is None else np.asarray(kept.values, dtype=np.float64)


def write_posterior(found: Estimates, attributes: Mapping[str, Attribute]) -> bytes:
    """The file; `attributes` (model id, priors and their hash, seed, …) stand at its root, beside the engine's."""
    buffer = io.BytesIO()
    convergence = found.convergence
    # h5netcdf writes no times into the file, so that it depends on nothing but what is written.
    with h5netcdf.File(buffer, "w") as file:
        for name, value in {"schema_version": SCHEMA_VERSION, "engine": found.engine, **attributes}.items():
            file.attrs[name] = value
        groups = {
            "posterior": found.posterior,
            "sample_stats": found.sample_stats,
            "observed_data": {"outcome": found.observed["outcome"]},
            "constant_data": {name: each for name, each in found.observed.items() if name != "outcome"},
        }
        for name, variables in groups.items():
            _write_group(file.create_group(name), variables, found.labels)
        said = {
            "method": convergence.method,
            "rhat_max": convergence.rhat_max,
            "ess_min": convergence.ess_min,
            "ess_tail_min": convergence.ess_tail_min,
            "divergences": convergence.divergences,
            "ebfmi": convergence.ebfmi,
            "gap_sd": convergence.gap_sd,
        }
        for name, value in said.items():
            file["sample_stats"].attrs[name] = value
    return buffer.getvalue()


def read_posterior(data: bytes) -> Posterior:
    """What the file of any version so far holds; StateUnusable for a newer one, or what is no such file."""
    try:
        with h5netcdf.File(io.BytesIO(data), "r") as file:
            attributes = {str(name): _plain(value) for name, value in file.attrs.items()}
            version = attributes.get("schema_version")
            if not isinstance(version, int) or version > SCHEMA_VERSION:
                raise StateUnusable(
                    f"A posterior file is of version {version}; this program reads up to {SCHEMA_VERSION}.", _REMEDY
                )
            labels: dict[str, tuple[str, ...]] = {}
            groups: dict[str, dict[str, Variable]] = {}
            for group_name, group in file.groups.items():
                groups[group_name] = {}
                for name, variable in group.variables.items():
                    values = variable[...]
                    if name in group.dimensions:
                        labels[name] = tuple(_text(one) for one in values)
                    else:
                        axes = tuple(str(axis) for axis in variable.dimensions)
                        groups[group_name][name] = Variable(axes, values, str(variable.attrs.get("unit", "")))
    except (OSError, KeyError) as error:
        raise StateUnusable("A posterior file is damaged.", "restore it from a backup, or train again.") from error
    return Posterior(attributes, labels, groups)


def _write_group(
    group: h5netcdf.Group, variables: Mapping[str, Variable], labels: Mapping[str, tuple[str, ...]]
) -> None:
    sizes = {axis: n for each in variables.values() for axis, n in zip(each.axes, each.values.shape, strict=True)}
    group.dimensions = sizes
    for axis, n in sizes.items():
        if axis in labels:
            names = group.create_variable(axis, (axis,), dtype=h5py.string_dtype())
            names[...] = np.array(labels[axis], dtype=object)
        else:
            group.create_variable(axis, (axis,), data=np.arange(n))
    for name, each in variables.items():
        values = each.values.astype(np.int8) if each.values.dtype == bool else each.values
        # Bytes of like weight side by side compress better; draws still keep most of their size.
        packed = {"compression": "gzip", "compression_opts": 4, "shuffle": True} if values.ndim else {}
        variable = group.create_variable(name, each.axes, data=values, **packed)
        if each.unit:
            variable.attrs["unit"] = each.unit


def _plain(value: object) -> Attribute:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float) else _text(value)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
