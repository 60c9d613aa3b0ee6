"""Prompts of the presets' models: their templates as far as a plain chat goes, on a small tokenizer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from tests import tiny
from tests.tiny import trajectory
from ttcs.config.options import CONF
from ttcs.core import Problem, Turn
from ttcs.errors import UserError
from ttcs.models.boundaries import Boundaries
from ttcs.models.load import load_tokenizer
from ttcs.models.prompt import Prompt
from ttcs.prms.format import Format
from ttcs.prms.generative import Generative
from ttcs.prms.outcome import Outcome
from ttcs.prms.qwen_math import QwenMath
from ttcs.prms.rlhflow import RLHFlow

HEAD, END, EOT = "<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>"
LLAMA = (
    "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] | trim %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set system = '' %}{%- endif %}"
    f"{{{{- '{HEAD}system{END}Cutting Knowledge Date: December 2023\n' }}}}"
    f"{{{{- 'Today Date: ' + date_string + '\n\n' + system + '{EOT}' }}}}"
    "{%- for message in messages %}"
    f"{{{{- '{HEAD}' + message['role'] + '{END}' + message['content'] | trim + '{EOT}' }}}}"
    "{%- endfor %}"
    f"{{%- if add_generation_prompt %}}{{{{- '{HEAD}assistant{END}' }}}}{{%- endif %}}"
)
LLAMA_3_1 = (
    "{{- bos_token }}{%- if not date_string is defined %}{%- set date_string = '26 Jul 2024' %}{%- endif %}" + LLAMA
)
LLAMA_3_2 = (
    "{{- bos_token }}{%- if not date_string is defined %}{%- if strftime_now is defined %}"
    "{%- set date_string = strftime_now('%d %b %Y') %}{%- else %}{%- set date_string = '26 Jul 2024' %}{%- endif %}"
    "{%- endif %}" + LLAMA
)
SEARCH_AND_LEARN = LLAMA_3_2.removeprefix("{{- bos_token }}").replace("message['content'] | trim", "message['content']")
QWEN = (
    "{%- if messages[0]['role'] == 'system' %}"
    "{{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>system\nDEFAULT<|im_end|>\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'user' or (message.role == 'system' and not loop.first) or message.role == 'assistant' %}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}"
    "{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
QWEN_2_5 = QWEN.replace("DEFAULT", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.")
QWEN_2_5_MATH = QWEN.replace("DEFAULT", "Please reason step by step, and put your final answer within \\\\boxed{}.")

PRESETS = {
    "llama_3_2_1b": LLAMA_3_2,
    "llama_3_2_3b": LLAMA_3_2,
    "llama_3_1_8b": LLAMA_3_1,
    "qwen2_5_1_5b": QWEN_2_5,
    "qwen2_5_math_1_5b": QWEN_2_5_MATH,
    "qwen2_5_math_7b": QWEN_2_5_MATH,
}
HEADINGS = """Solve the following math problem efficiently and clearly:

- For simple problems (2 steps or fewer):
Provide a concise solution with minimal explanation.

- For complex problems (3 steps or more):
Use this step-by-step format:

## Step 1: [Concise description]
[Brief explanation and calculations]

## Step 2: [Concise description]
[Brief explanation and calculations]

...

Regardless of the approach, always conclude with:

Therefore, the final answer is: $\\boxed{answer}$. I hope it is correct.

Where [answer] is just the final number or expression that solves the problem."""
PROBLEM = Problem("p", "What is $1 + 1$?")
STEPS = ("## Step 1: Count.\nOne and one.\n\n", "## Step 2: Say it\n\n\n", "It is $\\boxed{2}$.")


@cache
def tokenizer(template: str, bos: bool = True) -> Any:
    """The small tokenizer with a model's special tokens and template. bos: as Llama's, not as Qwen's."""
    loaded = load_tokenizer(tiny.folder())
    loaded.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    loaded.chat_template = template
    if not bos:
        loaded.bos_token = None
        loaded._tokenizer.post_processor = type(loaded._tokenizer.post_processor)(
            single="$A", pair="$A $B", special_tokens=[]
        )
    return loaded


def preset(name: str) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", [f"policy={name}"]).policy


def of(name: str) -> tuple[Any, Prompt]:
    encoder = tokenizer(PRESETS[name], bos="llama" in name)
    return encoder, Prompt(encoder, preset(name).system_prompt)


@pytest.mark.parametrize("name", ["llama_3_1_8b", "llama_3_2_1b"])
def test_the_prompt_of_llama(name: str) -> None:
    encoder, prompt = of(name)
    header = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
    assert encoder.decode(prompt(PROBLEM)) == (
        f"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{header}{HEADINGS}<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhat is $1 + 1$?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


@pytest.mark.parametrize("name", ["qwen2_5_1_5b", "qwen2_5_math_1_5b", "qwen2_5_math_7b"])
def test_the_prompt_of_qwen(name: str) -> None:
    encoder, prompt = of(name)
    assert encoder.decode(prompt(PROBLEM)) == (
        "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n"
        "<|im_start|>user\nWhat is $1 + 1$?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_without_a_system_prompt_the_template_says_its_own() -> None:
    encoder = tokenizer(QWEN_2_5, bos=False)
    assert "You are Qwen" in encoder.decode(Prompt(encoder)(PROBLEM))
    encoder = tokenizer(QWEN_2_5_MATH, bos=False)
    assert Prompt(encoder)(PROBLEM) == Prompt(encoder, preset("qwen2_5_math_7b").system_prompt)(PROBLEM)


@pytest.mark.parametrize("name", PRESETS)
def test_a_partial_solution_goes_on_token_by_token(name: str) -> None:
    encoder, prompt = of(name)
    whole = encoder("".join(STEPS), add_special_tokens=False).input_ids
    boundaries = Boundaries(encoder)
    ends = [place for place in range(1, len(whole)) if boundaries.ends_step(whole[place - 1], whole[place])]
    text = encoder.decode(prompt(PROBLEM))
    for end in ends:
        prefix = [*prompt(PROBLEM), *whole[: end + 1]]
        assert [*prefix, *whole[end + 1 :]] == [*prompt(PROBLEM), *whole]
        assert encoder.decode(prefix).endswith("\n\n") and encoder.decode(prefix).startswith(text)
    assert encoder.decode([*prompt(PROBLEM), *whole]) == text + "".join(STEPS)
    assert len(ends) >= 2


@pytest.mark.parametrize("name", ["llama_3_1_8b", "llama_3_2_1b"])
def test_templates_eat_what_a_step_ends_with(name: str) -> None:
    """The trap that token ids avoid: Llama's templates trim the message they are to continue."""
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": STEPS[0]}]
    text = of(name)[0].apply_chat_template(messages, tokenize=False, continue_final_message=True)
    assert text.endswith("One and one.")


@pytest.mark.parametrize("template", [LLAMA_3_1, LLAMA_3_2, SEARCH_AND_LEARN])
def test_one_bos(template: str) -> None:
    """search-and-learn's template leaves BOS to the tokenizer, the others write it."""
    own = tokenizer(LLAMA_3_1)
    for ids in (Prompt(tokenizer(template), "be brief")(PROBLEM), Prompt(own, "be brief", template)(PROBLEM)):
        assert ids[0] == own.bos_token_id and ids.count(own.bos_token_id) == 1
        assert ids == Prompt(own, "be brief")(PROBLEM)


def test_a_tokenizer_without_bos_gets_none() -> None:
    encoder, prompt = of("qwen2_5_1_5b")
    assert encoder.bos_token_id is None and encoder.decode(prompt(PROBLEM)[:1]) == "<|im_start|>"


def test_a_prompt_does_not_depend_on_the_day() -> None:
    encoder = tokenizer(LLAMA_3_2)
    today = encoder.apply_chat_template([{"role": "user", "content": "?"}], tokenize=False)
    assert "26 Jul 2024" not in today  # what it would say
    assert "Today Date: 26 Jul 2024" in encoder.decode(Prompt(encoder)(PROBLEM))


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    encoder = tokenizer(LLAMA_3_1)
    text = "{{ bos_token }}Q: {{ messages[-1].content }}\nA:"
    file = tmp_path / "template.jinja"
    file.write_text(text)
    for given in (text, str(file)):
        assert encoder.decode(Prompt(encoder, None, given)(PROBLEM)) == "<|begin_of_text|>Q: What is $1 + 1$?\nA:"


@pytest.mark.parametrize(
    ("template", "given", "line"),
    [
        (None, None, "has no chat template: policy.chat_template takes one"),
        (LLAMA_3_1, "nowhere.jinja", "cannot read the chat template nowhere.jinja: No such file"),
        (LLAMA_3_1, "{% if %}", "the chat template of .* does not take the prompt"),
        (
            "{{ raise_exception('System role not supported') }}",
            None,
            "does not take the prompt: System role not supported",
        ),
    ],
)
def test_templates_that_will_not_do(template: str | None, given: str | None, line: str) -> None:
    encoder = load_tokenizer(tiny.folder())
    encoder.chat_template = template
    with pytest.raises(UserError, match=line):
        Prompt(encoder, "be brief", given)


TURNS = (
    "{{{{ bos_token }}}}{{% for message in messages %}}"
    "{{{{ '<|' + message['role'] + '|>' }}}}{content}{{{{ '{eot}' }}}}{{% endfor %}}"
    "{{% if add_generation_prompt %}}{{{{ '<|assistant|>' }}}}{{% endif %}}"
)
AS_TEXT = TURNS.format(content="{{ message['content'] }}", eot=EOT)
AS_PARTS = {
    "first": "{{ message['content'][0]['text'] }}",
    "first or an error": "{{ '' + message['content'][0]['text'] }}",
    "selected": "{% for p in message['content'] | selectattr('type', 'equalto', 'text') %}{{ p['text'] }}{% endfor %}",
    "every": "{% for part in message.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}",
    "system as text": (
        "{% if message['role'] == 'system' %}{{ message['content'] + '' }}"
        "{% else %}{{ message['content'][0]['text'] }}{% endif %}"
    ),
    "either": (
        "{% if message['content'] is string %}{{ message['content'] }}"
        "{% else %}{{ message['content'][0]['text'] }}{% endif %}"
    ),
}


@pytest.mark.parametrize("content", AS_PARTS.values(), ids=AS_PARTS)
def test_templates_that_want_content_as_a_list(content: str) -> None:
    encoder = tokenizer(LLAMA_3_1)
    listed = TURNS.format(content=content, eot=EOT)
    prompt, expected = (Prompt(encoder, "be brief", template) for template in (listed, AS_TEXT))
    assert "What is $1 + 1$?" in encoder.decode(expected(PROBLEM))
    assert prompt(PROBLEM) == expected(PROBLEM)
    assert prompt(Problem("q", "Another?")) == expected(Problem("q", "Another?"))
    history = (Turn(trajectory(*STEPS), "Really?"),)
    assert prompt(PROBLEM, history) == expected(PROBLEM, history)


@pytest.mark.parametrize("content", AS_PARTS.values(), ids=AS_PARTS)
def test_verifiers_whose_template_wants_a_list(content: str) -> None:
    """Every family that renders a chat."""
    families: list[Format] = [
        RLHFlow(),
        Outcome(system="be just"),
        Outcome(attempts=1, request="Really?"),
        QwenMath(separator=EOT),
        Generative("{problem} {solution}?", "+", "-"),
    ]
    listed, plain = load_tokenizer(tiny.folder()), load_tokenizer(tiny.folder())
    listed.chat_template, plain.chat_template = TURNS.format(content=content, eot=EOT), AS_TEXT
    for family in families:
        one, other = (family.reader(encoder, "m")(PROBLEM, STEPS, ["$3$"]) for encoder in (listed, plain))
        assert one == other


NOWHERE = {
    "the question": "{{ bos_token }}Answer the question.",
    "the question, whatever its form": "{% for m in messages %}{{ m['content'][0]['txt'] }}{% endfor %}",
    "the system prompt": "{{ messages[-1]['content'] }}",
    "the system prompt, of a list": "{{ messages[-1]['content'][0]['text'] }}",
}


@pytest.mark.parametrize("what", NOWHERE)
def test_templates_that_leave_something_out(what: str) -> None:
    line = f"the chat template of .* writes {what.partition(',')[0]} nowhere"
    system = "system" if "system" in what else None
    with pytest.raises(UserError, match=line):
        Prompt(tokenizer(LLAMA_3_1), system, NOWHERE[what])
    encoder = load_tokenizer(tiny.folder())
    encoder.chat_template = NOWHERE[what].replace("[-1]", "[-2]") + "{{ messages[-1]['content'] }}"
    verifier = Outcome(system=system) if system else RLHFlow()
    with pytest.raises(UserError, match=r"the chat template of .* writes .* nowhere"):
        verifier.reader(encoder, "m")


def test_a_list_is_not_taken_for_text() -> None:
    """A template that prints whatever content it is given prints the text of it."""
    encoder = tokenizer(LLAMA_3_1)
    assert "type" not in encoder.decode(Prompt(encoder, "be brief", AS_TEXT)(PROBLEM))
    with pytest.raises(UserError, match="writes the system prompt nowhere"):
        Prompt(
            encoder, "be brief", "{% for m in messages %}{{ m['content'] if m['content'] is not string }}{% endfor %}"
        )
