"""The exports of a fictional electronics group, with stories planted in them whose truth is known."""

from etl.demo.stories import STORIES
from etl.demo.writing import truth_path, write_demo

__all__ = ["STORIES", "truth_path", "write_demo"]
