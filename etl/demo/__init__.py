"""The exports of a fictional electronics group, with stories planted in them whose truth is known."""

from etl.demo.writing import write_demo

__all__ = ["write_demo"]
