"""Assessments of CISA's CSET, both as its JSON export and as the `model.json` of a `.csetw`, as answers and observations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from etl.documents.document import Document, join_texts, make_table
from etl.documents.json_parts import Part

NAME: Final = "cset_assessment"
WORDS: Final = ("assessment", "jANSWER")

ANSWERS: Final = (
    "Assessment", "Assessment name", "Assessment date", "Facility", "Site", "Region", "Organisation", "Is self-assessment",
    "CSET version", "Checklist", "Checklist title", "Kind", "Question", "Title", "Text", "Category", "Level", "Component",
    "Answer", "Comment", "Is marked for review", "Is reviewed",
)  # fmt: skip
OBSERVATIONS: Final = (
    "Assessment", "Assessment name", "Assessment date", "Is self-assessment", "Checklist", "Question", "Observation",
    "Title", "Importance", "Issue", "Impacts", "Recommendations", "Vulnerabilities", "Resolution date",
)  # fmt: skip

QUESTIONS: Final = "CSET-QUESTIONS"
COMPONENTS: Final = "CSET-COMPONENTS"
PREFIXES: Final = {"requirement": "R", "question": "Q", "maturity": "M", "component": "C", "framework": "F"}
"""What numbers of questions begin with: requirements, questions and practices are numbered each for themselves."""
IMPORTANCES: Final = {"1": "Low", "2": "Medium", "3": "High"}

Cells = dict[str, str | None]


@dataclass(slots=True)
class _Said:
    """What an assessment says: its answers, and its observations by their numbers."""

    head: Cells
    answers: list[Cells] = field(default_factory=list)
    observations: list[Cells] = field(default_factory=list)
    told: set[tuple[str | None, ...]] = field(default_factory=set)

    def add_answer(self, checklist: Cells, kind: str, number: str | None, cells: Cells) -> Cells:
        """Keep an answer; returns what observations on it need."""
        question = PREFIXES[kind] + number if number else None
        row = self.head | checklist | {"Kind": kind, "Question": question} | cells
        self.answers.append(row)
        return row

    def add_observation(self, number: str | None, answer: Cells | None, cells: Cells) -> None:
        """Keep an observation; one that is listed beside its question and once more for the whole is one."""
        content = (number, *cells.values())
        if content not in self.told:
            self.told.add(content)
            named = {key: (answer or {}).get(key) for key in ("Checklist", "Question")}
            self.observations.append(self.head | named | {"Observation": number} | cells)

    def document(self) -> Document:
        """What was said, as tables."""
        return Document(
            NAME,
            {"answers": make_table(ANSWERS, self.answers), "observations": make_table(OBSERVATIONS, self.observations)},
        )


def read_cset(root: Part) -> Document | None:
    """An assessment in either layout, else None. Raises Unreadable."""
    if "jANSWER" in root.values:
        return _read_model(root)
    assessment = root.values.get("assessment")
    if isinstance(assessment, dict) and {"assessmentGuid", "assessmentDate", "selfAssessment"} & assessment.keys():
        return _read_export(root)
    return None


# --- the JSON export -----------------------------------------------------------------------------


def _read_export(root: Part) -> Document:
    assessment = root.part("assessment")
    organisation = assessment.part("organizationInfo")
    said = _Said(
        {
            "Assessment": assessment.text("assessmentGuid") or assessment.text("id"),
            "Assessment name": assessment.text("name"),
            "Assessment date": assessment.text("assessmentDate") or assessment.text("createdDate"),
            "Facility": organisation.text("facilityName"),
            "Site": organisation.text("cityOrSiteName"),
            "Region": organisation.text("stateProvRegion"),
            "Organisation": organisation.text("organizationName"),
            "Is self-assessment": assessment.text("selfAssessment"),
        }
    )
    standards = root.part("standards")
    for standard in standards.parts("standards"):
        checklist: Cells = {"Checklist": standard.text("setName")}
        for one in standard.parts("requirements"):
            _add_question(said, checklist, "requirement", one, one.text("requirementId"), one.text("requirementText"))
    for group in standards.parts("questions"):
        # Editions before 13 list the questions themselves, later ones group them by subcategory.
        questions = group.parts("questions") if "questions" in group.values else [group]
        checklist = {"Checklist": QUESTIONS, "Category": group.text("subCategory")}
        for one in questions:
            _add_question(said, checklist, "question", one, one.text("questionId"), one.text("questionText"))
    for model in root.parts("maturityModels"):
        _add_model(said, model)
    for one in root.part("details").parts("componentQuestions"):
        text = one.text("questionText") or one.text("question")
        component = join_texts((one.text("componentName"), one.text("zone")))
        cells: Cells = {"Checklist": COMPONENTS, "Component": component}
        _add_question(said, cells, "component", one, one.text("questionId"), text)
    for one in assessment.parts("observations"):
        _add_observation(said, one, None)
    return said.document()


def _add_model(said: _Said, model: Part) -> None:
    number = model.text("modelId")
    name = model.text("modelName") or (f"CSET-MODEL-{number}" if number else None)
    checklist: Cells = {"Checklist": name, "Checklist title": model.text("modelTitle")}
    waiting = model.parts("groupings")[::-1]
    while waiting:
        grouping = waiting.pop()
        waiting += grouping.parts("groupings")[::-1]
        category: Cells = checklist | {"Category": grouping.text("title")}
        questions = grouping.parts("questions")[::-1]
        while questions:
            one = questions.pop()
            followups = one.parts("followupQuestions")
            questions += followups[::-1]
            # What only holds others together is not asked, and has no answer.
            if not followups or {"answerText", "answer"} & one.values.keys():
                _add_question(said, category, "maturity", one, one.text("questionId"), one.text("questionText"))
            else:
                for observation in one.parts("observations"):
                    _add_observation(said, observation, None)


def _add_question(said: _Said, checklist: Cells, kind: str, one: Part, number: str | None, text: str | None) -> None:
    # The first edition of the export had the answer as an object of its own.
    answer = one.part("answer") if isinstance(one.values.get("answer"), dict) else one
    row = said.add_answer(
        checklist,
        kind,
        number,
        {
            "Title": one.text("title"),
            "Text": text,
            "Level": one.text("maturityLevel"),
            "Answer": answer.text("answerText") or (one.text("answer") if answer is one else None),
            "Comment": answer.text("comment"),
        },
    )
    for observation in one.parts("observations"):
        _add_observation(said, observation, row)


def _add_observation(said: _Said, one: Part, answer: Cells | None) -> None:
    said.add_observation(
        one.text("observationId"),
        answer,
        {
            "Title": one.text("title") or one.text("summary"),
            "Importance": one.text("importance"),
            "Issue": one.text("issue"),
            "Impacts": one.text("impacts"),
            "Recommendations": one.text("recommendations"),
            "Vulnerabilities": one.text("vulnerabilities"),
        },
    )


# --- model.json of a .csetw -----------------------------------------------------------------------


def _read_model(root: Part) -> Document:
    assessment = next(iter(root.parts("jASSESSMENTS")), Part({}))
    information = next(iter(root.parts("jINFORMATION")), Part({}))
    organisation = next(iter(root.parts("jDEMOGRAPHICS")), Part({}))
    version = next(iter(root.parts("jCSET_VERSION")), Part({}))
    days = (
        information.text("Assessment_Date"),
        assessment.text("Assessment_Date"),
        assessment.text("AssessmentEffectiveDate"),
        assessment.text("AssessmentCreatedDate"),
    )
    said = _Said(
        {
            "Assessment": assessment.text("Assessment_GUID") or assessment.text("Assessment_Id"),
            "Assessment name": information.text("Assessment_Name"),
            # A day that was never set is written as the first day of the calendar.
            "Assessment date": next((day for day in days if day and not day.startswith("0001-01-01")), None),
            "Facility": information.text("Facility_Name"),
            "Site": information.text("City_Or_Site_Name"),
            "Region": information.text("State_Province_Or_Region"),
            "Organisation": organisation.text("OrganizationName"),
            "CSET version": version.text("Cset_Version1"),
        }
    )
    checklists = {
        "requirement": _only(root, "jAVAILABLE_STANDARDS", "Set_Name") or "CSET-REQUIREMENTS",
        "question": QUESTIONS,
        "maturity": f"CSET-MODEL-{_only(root, 'jAVAILABLE_MATURITY_MODELS', 'model_id') or 'ANY'}",
        "component": COMPONENTS,
        "framework": "CSET-FRAMEWORK",
    }
    answers: dict[str | None, Cells] = {}
    for one in root.parts("jANSWER"):
        kind = _kind(one)
        answers[one.text("Answer_Id")] = said.add_answer(
            {"Checklist": checklists[kind]},
            kind,
            one.text("Question_Or_Requirement_Id"),
            {
                "Component": one.text("Component_Guid") if kind == "component" else None,
                "Answer": one.text("Answer_Text"),
                "Comment": join_texts(
                    (one.text(key) for key in ("Comment", "Alternate_Justification", "Free_Response_Answer")), "\n"
                ),
                "Is marked for review": one.text("Mark_For_Review"),
                "Is reviewed": one.text("Reviewed"),
            },
        )
    for one in root.parts("jFINDING"):
        importance = one.text("Importance_Id")
        said.add_observation(
            one.text("Finding_Id"),
            answers.get(one.text("Answer_Id")),
            {
                "Title": one.text("Title") or one.text("Summary"),
                "Importance": IMPORTANCES.get(importance or "", importance),
                "Issue": one.text("Issue") or one.text("Description"),
                "Impacts": one.text("Impact"),
                "Recommendations": one.text("Recommendations") or one.text("ActionItems"),
                "Vulnerabilities": one.text("Vulnerabilities"),
                "Resolution date": one.text("Resolution_Date"),
            },
        )
    return said.document()


def _only(root: Part, table: str, key: str) -> str | None:
    """What is selected in the table, when it is one thing: answers do not say which of several they belong to."""
    selected = {one.text(key) for one in root.parts(table) if one.text("Selected") == "true"}
    return next(iter(selected)) if len(selected) == 1 else None


def _kind(answer: Part) -> str:
    named = (answer.text("Question_Type") or "").lower()
    if named in PREFIXES:
        return named
    flags = (("component", "Is_Component"), ("maturity", "Is_Maturity"), ("framework", "Is_Framework"))
    flagged = next((kind for kind, flag in flags if answer.text(flag) == "true"), None)
    return flagged or ("requirement" if answer.text("Is_Requirement") == "true" else "question")
