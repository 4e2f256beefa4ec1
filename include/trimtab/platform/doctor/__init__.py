"""Are the configured places fit for work? One finding per probe, each with a cure."""

from trimtab.platform.doctor.finding import Finding, Status
from trimtab.platform.doctor.rounds import examine

__all__ = ["Finding", "Status", "examine"]
