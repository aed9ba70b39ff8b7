"""Checks the rows of it/jq.jsonl against real jq: `pip install jq`, then run this file."""

import importlib.metadata
import json
import pathlib

import jq

rows = [json.loads(line) for line in pathlib.Path(__file__).with_name("it").joinpath("jq.jsonl").read_text().strip().split("\n")]
wrong = 0
for program, value, expected in rows:
    found = jq.compile(program).input_value(value).all()
    if found != expected:
        wrong += 1
        print(f"{program} on {json.dumps(value)}\n  ours {json.dumps(expected)}\n  jq   {json.dumps(found)}")
print(f"{len(rows)} rows, {wrong} differ, PyPI jq {importlib.metadata.version('jq')}")
