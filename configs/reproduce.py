"""The main job: the embedded model on word problems, from pool to page.

  python -m launch.reproduce
  python -m launch.reproduce --full

For a host with two CPU cores; a pod slice takes more groups and rows.
`configs/subset.py` is of its size for minutes, all of them live.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """All test questions, every method at budgets to 64, some to 256."""
  return ml_collections.ConfigDict(
    {
      # "gsm_symbolic", "arithmetic", or "jsonl" with `questions.path`.
      "task": "gsm_symbolic",
      # A Hugging Face folder; empty is the model of the package.
      "model": "",
      # In which the model computes: "float32", "bfloat16", or empty: as its
      # weights are.
      "dtype": "float32",
      # What of the model is held in 8 bits: "weights", "cache", which is of
      # keys and values, "both", or empty: nothing.
      "int8": "",
      # Devices: those over which questions are split, and those over which the
      # model's parameters are, and those of a published verifier: over its
      # width, and over heads and hidden units.
      "mesh": {"data": 1, "fsdp": 1, "model": 1},
      # The slice of TPUs that it is for, such as "v5e:2x4"; empty: none.
      "slice": "",
      # A verifier's folder; empty is the one of the package, "none" is none.
      "verifier": "",
      # Of a published process reward model, whose Hugging Face folder is the
      # verifier.
      "prm": {
        # "qwen_math", "math_shepherd", "rlhflow", "skywork", or empty: the
        # verifier is of this project's own making.
        "format": "",
        # Room for a question, in its own tokens.
        "prompt_tokens": 512,
        # Room for a solution, in its own tokens.
        "row_tokens": 1024,
        # "float32", "bfloat16" or, as its weights are, empty.
        "dtype": "",
      },
      # A difficulty head's folder: it places a question by its prompt alone. A
      # head is of one model: empty is the package's with the package's model,
      # and none with another; "none" is none.
      "difficulty": "",
      # Which questions.
      "questions": {
        # Drawn by `seed`; 0 takes all.
        "count": 0,
        # For "jsonl" alone: the file.
        "path": "",
        # The file's field of the question's text.
        "question": "question",
        # The field of the answer; empty: the end of the solution.
        "answer": "answer",
        # The field of a worked solution.
        "solution": "",
        # The field that names it; empty: a digest of the text.
        "id": "",
      },
      # How a question is put to the model.
      "prompt": {
        # "plain", "chat" or "few_shot".
        "format": "plain",
        # With {question} in it. Empty is the task's own prompt, and of a chat
        # the question alone.
        "template": "",
        # Of a chat: what the system says.
        "system": "",
        # The day that a template is told which asks for it.
        "date": "2024-07-26",
        # Of few-shot prompts: JSON lines of solved examples.
        "examples": "",
        # The examples' field of the question's text.
        "question": "question",
        # The examples' field of the solution.
        "solution": "solution",
        # How many examples, from the first on.
        "shots": 4,
        # What ends a step; empty is the task's own.
        "delimiter": "",
      },
      # Of each question.
      "samples": 512,
      # Of all that is drawn.
      "seed": 0,
      # Of tokens: a temperature, 0 being greedy, and the mass of the likeliest
      # that are kept.
      "sampler": {"temperature": 1.0, "top_p": 1.0},
      # In tokens: of a prompt, and of what is made for it.
      "limits": {"prompt_tokens": 128, "max_tokens": 128},
      # How samples are drawn.
      "engine": {
        # Questions at a time.
        "groups": 16,
        # Rows that work on each question.
        "rows": 16,
        # Steps between looks at what is done.
        "steps": 64,
        # Questions a shard.
        "batch": 10,
      },
      # Of the passes that score the pool: rows of so many tokens.
      "scoring": {"rows": 8, "length": 768},
      # Searches against the verifier.
      "search": {
        # Which are run; "revisions" are chains of revisions.
        "methods": (
          "beam_sqrt",
          "beam_4",
          "dvts",
          "lookahead_1",
          "lookahead_3",
          "revisions",
        ),
        # In generations, of each method.
        "budgets": (1, 2, 4, 8, 16, 32, 64, 256),
        # The largest budget that each method gets.
        "most": {
          "beam_sqrt": 256,
          "beam_4": 256,
          "dvts": 64,
          "lookahead_1": 64,
          "lookahead_3": 64,
        },
        # Of the draws; each repeats all searches.
        "seeds": 1,
        # A step of so many tokens ends without its delimiter; 0: none does.
        "step_tokens": 0,
        # Rows at a time, over all questions.
        "rows": 128,
        # Steps between looks.
        "steps": 64,
        # One search drawn as trees, on the most undecided questions.
        "tree": {"method": "beam_4", "budget": 16, "questions": 4},
      },
      # A larger model to compare with: its run of launch.sample on these
      # questions, at temperature 0, and how many times as many parameters it
      # has. Empty is the package's with the package's model, and none with
      # another; "none" is none.
      "exchange": {"pool": "", "size_ratio": 13.8},
      # Chains of revisions, where "revisions" is among the methods.
      "revision": {
        # The revision model, a folder; empty is the package's.
        "model": "",
        # Its verifier, a folder; empty is the package's.
        "verifier": "",
        # Another verifier for comparison: of the two, one reads each answer
        # behind those in its context, the other does not. Empty is that of the
        # package beside its own model and verifier, and none beside others;
        # "none" is none.
        "other": "",
        # In answers; at each, all ratios of sequential to parallel.
        "budgets": (1, 2, 4, 8, 16, 32, 64),
        # Latest answers in the context, at most.
        "window": 4,
        # Tokens of the context, at most.
        "context_tokens": 320,
        # Rows that read their new contexts in one pass.
        "rebuilt": 32,
      },
    }
  )
