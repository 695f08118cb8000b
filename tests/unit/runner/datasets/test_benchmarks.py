"""Rows of public benchmarks that use other column names: they load as meant, or say what is missing."""

import asyncio
import codecs
import json

import pytest

from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.files import read_file
from llmopt_runner.quality.loading import load_evaluator

_TEN = [f"law {number}" for number in range(10)]
_LETTERS = {"A": "w", "B": "x", "C": "y", "D": "z"}
_FOUR = tuple(_LETTERS.values())
_TWO = ("up", "down")
_INFERENCES = ("entailment", "neutral", "contradiction")
_ENTAILS = "Does the text entail the statement, contradict it, or neither (neutral)?"
# Layout, row, question, answer, choices.
_CHOICES = [
    (
        "HellaSwag",
        {"ctx_a": "a", "ctx_b": "b", "ctx": "q", "endings": [*_FOUR], "label": "3"},
        "q",
        "z",
        _FOUR,
    ),
    ("HellaSwag, first", {"ctx": "q", "endings": [*_FOUR], "label": "0"}, "q", "w", _FOUR),
    (
        "KoBEST HellaSwag",
        {"context": "q", "ending_1": "w", "ending_2": "x", "ending_3": "y", "ending_4": "z", "label": 2},
        "q",
        "y",
        _FOUR,
    ),
    (
        "WinoGrande",
        {"sentence": "The _ q", "option1": "up", "option2": "down", "answer": "2"},
        "The _ q",
        "down",
        _TWO,
    ),
    (
        "WinoGrande, first",
        {"sentence": "q", "option1": "up", "option2": "down", "answer": "1"},
        "q",
        "up",
        _TWO,
    ),
    (
        "MedMCQA",
        {"id": "1", "question": "q", "opa": "w", "opb": "x", "opc": "y", "opd": "z", "cop": 2, "exp": "e"},
        "q",
        "y",
        _FOUR,
    ),
    (
        "ANLI",
        {"uid": "u", "premise": "p", "hypothesis": "h", "label": 2, "reason": ""},
        f"p\n\nStatement: h\n\n{_ENTAILS}",
        "contradiction",
        _INFERENCES,
    ),
    (
        "KLUE NLI",
        {"guid": "g", "source": "s", "premise": "p", "hypothesis": "h", "label": 0},
        f"p\n\nStatement: h\n\n{_ENTAILS}",
        "entailment",
        _INFERENCES,
    ),
    ("PIQA", {"goal": "q", "sol1": "up", "sol2": "down", "label": 1}, "q", "down", _TWO),
    ("PIQA, first", {"goal": "q", "sol1": "up", "sol2": "down", "label": 0}, "q", "up", _TWO),
    (
        "COPA",
        {"premise": "p", "choice1": "up", "choice2": "down", "question": "cause", "label": 1},
        "p\n\ncause",
        "down",
        _TWO,
    ),
    (
        "KoBEST COPA",
        {"premise": "p", "question": "원인", "alternative_1": "up", "alternative_2": "down", "label": 0},
        "p\n\n원인",
        "up",
        _TWO,
    ),
    (
        "Social IQa",
        {"context": "c", "question": "q", "answerA": "w", "answerB": "x", "answerC": "y", "label": "2"},
        "c\n\nq",
        "x",
        ("w", "x", "y"),
    ),
    (
        "LogiQA",
        {"context": "c", "query": "q", "options": [*_FOUR], "correct_option": 1},
        "c\n\nq",
        "x",
        _FOUR,
    ),
    ("RACE", {"article": "c", "question": "q", "options": [*_FOUR], "answer": "C"}, "c\n\nq", "y", _FOUR),
    ("CLIcK", {"paragraph": "c", "question": "q", "choices": [*_FOUR], "answer": "z"}, "c\n\nq", "z", _FOUR),
    (
        "CLIcK, no paragraph",
        {"paragraph": "", "question": "q", "choices": [*_FOUR], "answer": "z"},
        "q",
        "z",
        _FOUR,
    ),
    (
        "MedQA",
        {"question": "q", "answer": "x", "options": _LETTERS, "answer_idx": "B"},
        "q",
        "x",
        _FOUR,
    ),
    ("MMMLU", {"Unnamed: 0": 0, "Question": "q", **_LETTERS, "Answer": "B"}, "q", "x", _FOUR),
    ("HAE-RAE", {"query": "q", "options": "['w', 'x', 'y', 'z']", "answer": "(B)"}, "q", "x", _FOUR),
    (
        "CommonsenseQA",
        {"question": "q", "choices": {"label": [*"ABCD"], "text": [*_FOUR]}, "answerKey": "C"},
        "q",
        "y",
        _FOUR,
    ),
    (
        "ARC with numbers for labels and texts",
        {"question": "q", "choices": {"label": [*"1234"], "text": [*"4321"]}, "answerKey": "2"},
        "q",
        "3",
        tuple("4321"),
    ),
    (
        "MMLU-Pro, ninth",
        {"question": "q", "options": _TEN, "answer": "I", "answer_index": 8},
        "q",
        _TEN[8],
        tuple(_TEN),
    ),
    (
        "MMLU-Pro, a letter that is a text too",
        {"question": "q", "options": ["B", "A", "O"], "answer": "A", "answer_index": 0},
        "q",
        "B",
        ("B", "A", "O"),
    ),
    ("MMLU, numbers as texts", {"question": "q", "choices": [*"3210"], "answer": 1}, "q", "2", tuple("3210")),
    ("MMLU, place in quotes", {"question": "q", "choices": [*_FOUR], "answer": "1"}, "q", "x", _FOUR),
    (
        "QuALITY",
        {"article": "c", "question": "q", "options": [*_FOUR], "gold_label": 2},
        "c\n\nq",
        "x",
        _FOUR,
    ),
    (
        "KMMLU-Pro",
        {"question": "q", "options": [*_FOUR], "solution": "3", "license_name": "l", "subject": "s"},
        "q",
        "y",
        _FOUR,
    ),
    (
        "options with a solution that shows the working",
        {"question": "q", "options": [*_FOUR], "solution": "Therefore 3.", "answer": "A"},
        "q",
        "w",
        _FOUR,
    ),
    ("ReClor", {"context": "c", "question": "q", "answers": [*_FOUR], "label": 1}, "c\n\nq", "x", _FOUR),
    (
        "Belebele",
        {
            "flores_passage": "p", "question": "q", "mc_answer1": "w", "mc_answer2": "x", "mc_answer3": "y",
            "mc_answer4": "z", "correct_answer_num": "3",
        },
        "p\n\nq",
        "y",
        _FOUR,
    ),
    (
        "AQuA",
        {"question": "q", "options": ["A)w", "B)x", "C)y", "D)z"], "rationale": "r", "correct": "B"},
        "q",
        "x",
        _FOUR,
    ),
    (
        "AQuA, its whole text",
        {"question": "q", "options": ["A)w", "B)x", "C)y", "D)z"], "correct": "C)y"},
        "q",
        "y",
        _FOUR,
    ),
    ("AGIEval", {"question": "q", "options": ["(A)up", "(B)down"], "label": "B"}, "q", "down", _TWO),
    (
        "letters that are not those of the places",
        {"question": "q", "options": ["B. Franklin", "A. Lincoln"], "answer": 1},
        "q",
        "A. Lincoln",
        ("B. Franklin", "A. Lincoln"),
    ),
]  # fmt: skip
# Layout, row, question, answer, alternatives, default evaluator.
_TEXTS = [
    ("BoolQ", {"question": "is it", "answer": True, "passage": "p"}, "p\n\nis it", "yes", (), "exact"),
    ("BoolQ, no", {"question": "is it", "answer": False, "passage": "p"}, "p\n\nis it", "no", (), "exact"),
    (
        "BoolQ of SuperGLUE",
        {"question": "is it", "passage": "p", "label": 1},
        "p\n\nis it",
        "yes",
        (),
        "exact",
    ),
    (
        "MGSM",
        {"question": "q", "answer": "She has 9 eggs. She makes 18.", "answer_number": 18},
        "q",
        "18",
        (),
        "numeric",
    ),
    (
        "MGSM without its working",
        {"question": "q", "answer": None, "answer_number": 18},
        "q",
        "18",
        (),
        "numeric",
    ),
    (
        "HotpotQA",
        {
            "question": "q",
            "answer": "a",
            "context": {"title": ["T", "U"], "sentences": [["One.", " Two."], ["Three."]]},
        },
        "T: One. Two.\nU: Three.\n\nq",
        "a",
        (),
        "exact",
    ),
    (
        "HotpotQA as its authors publish it",
        {"question": "q", "answer": "a", "context": [["T", ["One.", " Two."]]]},
        "T: One. Two.\n\nq",
        "a",
        (),
        "exact",
    ),
    (
        "PubMedQA",
        {
            "question": "q",
            "final_decision": "yes",
            "context": {"contexts": ["One.", "Two."], "labels": ["X", "Y"]},
        },
        "One.\nTwo.\n\nq",
        "yes",
        (),
        "exact",
    ),
    (
        "a list of passages",
        {"question": "q", "answer": "a", "context": ["c", "d"]},
        "c\nd\n\nq",
        "a",
        (),
        "exact",
    ),
    ("KoBEST BoolQ", {"paragraph": "p", "question": "q", "label": 0}, "p\n\nq", "no", (), "exact"),
    (
        "TriviaQA",
        {"question": "q", "answer": {"value": "Lewis", "aliases": ["Lewis", "Sinclair Lewis"]}},
        "q",
        "Lewis",
        ("Sinclair Lewis",),
        "token_f1",
    ),
    (
        "NaturalQuestions",
        {"question": "q", "answer": ["1972", "in 1972"]},
        "q",
        "1972",
        ("in 1972",),
        "token_f1",
    ),
    ("NaturalQuestions, one", {"question": "q", "answer": ["Bobby"]}, "q", "Bobby", (), "exact"),
    ("WebQuestions", {"question": "q", "answers": ["a", "b"]}, "q", "a", ("b",), "token_f1"),
    ("PopQA", {"question": "q", "possible_answers": '["a", "b"]'}, "q", "a", ("b",), "token_f1"),
    (
        "TruthfulQA",
        {"question": "q", "best_answer": "a", "correct_answers": ["a", "b"], "incorrect_answers": ["c"]},
        "q",
        "a",
        ("b",),
        "token_f1",
    ),
    (
        "TruthfulQA's own",
        {"Question": "q", "Best Answer": "a", "Correct Answers": "a; b"},
        "q",
        "a",
        ("b",),
        "token_f1",
    ),
    ("OpenOrca", {"system_prompt": "s", "question": "q", "response": "r"}, "s\n\nq", "r", (), "exact"),
    ("SVAMP", {"Body": "b", "Question": "q", "Answer": "3"}, "b\n\nq", "3", (), "numeric"),
    ("ASDiv", {"body": "b", "question": "q", "answer": "9 (apples)"}, "b\n\nq", "9", (), "numeric"),
    (
        "ASDiv, two",
        {"body": "b", "question": "q", "answer": "3 (hours); 20 (minutes)"},
        "b\n\nq",
        "3 (hours); 20 (minutes)",
        (),
        "exact",
    ),
    ("brackets elsewhere", {"question": "q", "answer": "9 (apples)"}, "q", "9 (apples)", (), "exact"),
    ("MGSM", {"question": "q", "answer": None, "answer_number": 5}, "q", "5", (), "numeric"),
    ("AIME", {"ID": "2024", "Problem": "q", "Solution": "s", "Answer": 204}, "q", "204", (), "numeric"),
    ("MATH without braces", {"problem": "q", "solution": r"So $x=\boxed 7$."}, "q", "7", (), "numeric"),
    ("Korean names", {"질문": "q", "정답": "r"}, "q", "r", (), "exact"),
    ("prompt and completion", {"prompt": "q", "completion": "r"}, "q", "r", (), "exact"),
]


def _only_item(tmp_path, row):
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    data = read_file(path)
    (item,) = data.items(1, 0)
    return data, item


@pytest.mark.parametrize(
    ("row", "question", "answer", "choices"),
    [case[1:] for case in _CHOICES],
    ids=[case[0] for case in _CHOICES],
)
def test_a_row_with_choices(tmp_path, row, question, answer, choices):
    """What a benchmark asks is asked whole, and its right choice is picked by its place."""
    data, item = _only_item(tmp_path, row)
    assert (item.question, item.answer, item.choices, data.evaluator) == (question, answer, choices, "choice")
    place = str(choices.index(answer) + 1)
    assert asyncio.run(load_evaluator(None, "choice").score(item, f"The answer is ({place}).")) == 1


@pytest.mark.parametrize(
    ("row", "question", "answer", "alternatives", "evaluator"),
    [case[1:] for case in _TEXTS],
    ids=[case[0] for case in _TEXTS],
)
def test_a_row_without_choices(tmp_path, row, question, answer, alternatives, evaluator):
    """Several right answers count, a passage is asked with its question, a truth value is a yes or a no."""
    data, item = _only_item(tmp_path, row)
    assert (item.question, item.answer, item.alternatives) == (question, answer, alternatives)
    assert data.evaluator == evaluator


@pytest.mark.parametrize(
    "row",
    [
        {
            "Correct Answer": "r",
            "Incorrect Answer 1": "a",
            "Incorrect Answer 2": "b",
            "Incorrect Answer 3": "c",
        },
        {"correct_answer": "r", "distractor1": "a", "distractor2": "b", "distractor3": "c"},
        {"mc1_targets": {"choices": [*"rabc"], "labels": [1, 0, 0, 0]}},
    ],
    ids=["GPQA", "SciQ", "TruthfulQA"],
)
def test_a_right_choice_that_always_comes_first_is_moved(tmp_path, row):
    """Where the data name the right choice first, a model that always answers 1 is not always right."""
    items = [_only_item(tmp_path, {"question": f"q{number}", **row})[1] for number in range(20)]
    assert {(item.answer, "".join(sorted(item.choices))) for item in items} == {("r", "abcr")}
    assert len({item.choices.index("r") for item in items}) == 4
    assert items[3].choices == _only_item(tmp_path, {"question": "q3", **row})[1].choices


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"ctx": "q", "endings": [*_FOUR], "label": ""}, "label is empty"),
        ({"ctx": "q", "endings": [*_FOUR], "label": "4"}, "label is '4': .*from 0 to 3"),
        ({"ctx": "q", "endings": "w", "label": 1}, "endings is 'w': write a list"),
        ({"ctx": "q", "endings": [*_FOUR]}, "no answer: write label"),
        (
            {"question": "q", "opa": "w", "opb": "x", "opc": "y", "opd": "z", "cop": -1},
            "cop is -1: .*from 0 to 3",
        ),
        ({"uid": "u", "premise": "p", "hypothesis": "h", "label": -1, "reason": ""}, "label is -1: .*0 to 2"),
        ({"uid": "u", "premise": "p", "hypothesis": "h", "reason": ""}, "no label: write 0 to 2"),
        # CB's 1 is a contradiction and RTE's is none: nothing in such a row says what it means.
        ({"premise": "p", "hypothesis": "h", "idx": 0, "label": 1}, "no "),
        ({"goal": "q", "sol1": "up", "sol2": "down", "label": -1}, "label is -1: .*from 0 to 1"),
        ({"sentence": "q", "option1": "up", "option2": "down", "answer": ""}, "answer is empty"),
        (
            {"sentence": "q", "option1": "up", "option2": "down", "answer": "0"},
            "answer is '0': .*from 1 to 2",
        ),
        (
            {"question": "q", "choices": {"text": [*_TWO], "label": ["A", "B"]}, "answerKey": ""},
            "answerKey is empty",
        ),
        (
            {"question": "q", "options": _TEN, "answer": "A", "answer_index": 8},
            "answer is 'A', but answer_index is 8",
        ),
        (
            {"question": "q", "options": ["B", "A"], "answer": "A"},
            "text of one choice and the label of another",
        ),
        ({"question": "q", "A": "3", "B": "2", "C": "1", "answer": "3"}, "text of one choice and the label"),
        (
            {"question": "q", "mc1_targets": {"choices": ["a", "b"], "labels": [0, 0]}},
            "0 choices with the label 1",
        ),
        ({"question": "q", "mc1_targets": {"choices": ["a", "b"], "labels": [1]}}, "not one label for each"),
        ({"question": "q", "answer": []}, "answer is empty"),
        ({"question": "q", "answer": [["a"]]}, r"answer is \['a'\]: write a text"),
        ({"question": "q", "possible_answers": "a"}, "possible_answers is 'a': write a list"),
        ({"question": {"text": "q"}, "answer": "a"}, "question is {'text': 'q'}: write a text"),
        ({"question": "q", "passage": "p", "label": 7}, "no answer: it has 'question', 'passage', 'label'"),
        (
            {"question": "q", "answer": "a", "context": {"id": 7}},
            "context is {'id': 7}: write a text or a list",
        ),
        ({"question": "q", "answer": "a", "passage": [[1]]}, r"passage is \[\[1\]\]: write a text or a list"),
        ({"Question": "q", "Note": "n"}, "no answer: it has 'Question', 'Note'; write"),
    ],
)
def test_a_row_that_lacks_something_says_what(tmp_path, row, reason):
    """A row without its answer, or with one that means two choices, is refused by the name of its column."""
    with pytest.raises(DatasetInvalid, match=f"items.jsonl:1: .*{reason}"):
        _only_item(tmp_path, row)


_ROWS = [{"instruction": f"q{number}", "input": "", "output": "a"} for number in range(3)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_one_json_list(tmp_path, indent, mark):
    """A file that is one JSON list, as Alpaca's and ShareGPT's are, has an item for each of its objects."""
    path = tmp_path / "items.json"
    path.write_bytes(mark + json.dumps(_ROWS, indent=indent).encode())
    assert {item.question for item in read_file(path).items(3, 0)} == {"q0", "q1", "q2"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "holds no items"),
        ("[1, 2]", "items.json:1: a int, not an object"),
        ('[{"question": "q", "answer": "a"},\n{"question": "r"}]', "items.json:2: no answer"),
        ('[\n{"question": "q", "answer": "a"}', "items.json:1: not JSON at line 2, column"),
        ("[" * 100_000, "items.json:1: not usable JSON"),
        (b'["\xff"]', "items.json:1: byte 3 of the file is not UTF-8"),
    ],
)
def test_a_bad_list_is_named(tmp_path, text, reason):
    """What is wrong with a JSON list is named with the item it is in."""
    path = tmp_path / "items.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DatasetInvalid, match=reason):
        read_file(path)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("question, answer\nq, a\n", "a"),
        ('question, answer\nq, "a, b"\n', "a, b"),
        ("sep=;\nquestion;answer\nq;a\n", "a"),
        ("\ufeffsep=,\r\nquestion,answer\r\nq,a\r\n", "a"),
        ("\ufeffQuestion,Answer\r\nq,a\r\n", "a"),
        ('Question,Best Answer,Correct Answers\nq,a,"a; b"\n', "a"),
        ("goal,sol1,sol2,label\nq,b,a,1\n", "a"),
        ("sentence,option1,option2,answer\nq,b,a,2\n", "a"),
        ("ctx,endings,label\nq,\"['b', 'a']\",1\n", "a"),
        ("passage,question,answer\np,q,True\n", "True"),
    ],
)
def test_tables_as_programs_write_them(tmp_path, text, answer):
    """Blanks after separators, Excel's line that names one, a mark of byte order: none belongs to a cell."""
    path = tmp_path / "items.csv"
    path.write_bytes(text.encode())
    (item,) = read_file(path).items(1, 0)
    assert item.answer == answer


def test_a_list_that_numpy_printed_is_refused(tmp_path):
    """Python reads texts without commas between them as one text: that is no list of choices."""
    path = tmp_path / "items.csv"
    path.write_text("question,choices,answer\nq,\"['w' 'x' 'y']\",1\n")
    with pytest.raises(DatasetInvalid, match=r"items.csv:2: choices is .*write a list of two or more texts"):
        read_file(path)
