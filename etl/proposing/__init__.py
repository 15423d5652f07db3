"""Source files drafted from a file: `propose` looks at it, `describe` writes what a person has confirmed."""

from etl.proposing.drafting import propose
from etl.proposing.proposal import Proposal
from etl.proposing.writing import describe

__all__ = ["Proposal", "describe", "propose"]
