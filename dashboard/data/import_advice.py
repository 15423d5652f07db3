"""What to do about each kind of refusal, in a sentence of the reader's language; the ETL's own names what and where."""

from __future__ import annotations

from typing import Final

from dashboard.words import N_

ADVICE: Final = {
    "ambiguous": N_("Choose the source under Settings: several describe this file."),
    "bad_boolean": N_("Write yes or no."),
    "bad_date": N_("Write the date in a form of this source."),
    "bad_interval": N_("Correct the days: one ends before it begins."),
    "bad_number": N_("Write a number."),
    "bad_period": N_("Write a period such as FY2025, FY2025-H1 or 2025-10."),
    "broken_document": N_("Export the document again: a part of it is not as its format says."),
    "broken_file": N_("Export the file again, or save it again in its own program."),
    "closed_entity": N_("Correct the entity or the period, or load a newer organisation master."),
    "contradiction": N_("Leave only the right one of these rows."),
    "damaged": N_("Set the column to text in the spreadsheet and export again."),
    "duplicate_column": N_("Leave one of the columns with this heading."),
    "empty": N_("Fill in the cell."),
    "empty_file": N_("Export the file again: it holds nothing."),
    "forbidden_xml": N_("Export the file again: it holds what may do harm and no export needs."),
    "formula_error": N_("Mend the formula, or write the value in its place."),
    "future_date": N_("Correct the date: it lies in the future."),
    "future_known": N_("Correct the date from which this is known, or load the file then."),
    "future_period": N_("Correct the period, or load the file once it has begun."),
    "heading_below": N_("Put the headings above the first row."),
    "hidden_sheet": N_("Unhide the sheet to have it read, or delete it."),
    "missing_column": N_("Add the column with this heading."),
    "needs_given": N_("Give what is missing under Settings."),
    "no_heading": N_("Put a row with a name for each column above the table."),
    "no_results": N_("Export the results: the file holds none."),
    "no_rows": N_("Export the table with its rows: it has none."),
    "one_column": N_("Export the table with its columns apart."),
    "out_of_range": N_("Correct the number."),
    "overlap": N_("Let one interval of the entity end before the other begins."),
    "password": N_("Save the file again without a password."),
    "too_large": N_("Copy the table into a new file, or split it."),
    "too_many_cells": N_("Put texts that hold the delimiter in quotes, or add the missing heading."),
    "too_slow": N_("Export the file again, or split it."),
    "too_wide": N_("Export the file again, or split the table."),
    "uncalculated": N_("Open the workbook in Excel, save it, and drop it again."),
    "undecodable": N_("Save the file in one encoding, and export it again."),
    "unknown_answer": N_("Write an answer that this source knows."),
    "unknown_checklist": N_("Load the checklist master first; the rows then follow by themselves."),
    "unknown_choice": N_("Write one of the values that are known."),
    "unknown_document": N_("Export a table, or one of the documents that are read."),
    "unknown_entity": N_("Correct the code, or load the organisation master; the rows then follow by themselves."),
    "unknown_finding": N_("Load the export of findings first; the rows then follow by themselves."),
    "unknown_format": N_("Save the table as .xlsx or .csv."),
    "unknown_item": N_("Correct the code, or load the checklist master; the rows then follow by themselves."),
    "unknown_reference": N_("Load the other export that tells of this code; the rows then follow by themselves."),
    "unknown_source": N_("Choose a source under Settings, or describe the layout there."),
    "unknown_version": N_("Export the document in a version that is read."),
}
"""By the reason code of the refusal."""
