"""The commands and what they print where."""

import json
import os
import re
import shutil
import subprocess

from harness import expect, expect_equal, one, scenario

PASS = {"from": "stdin", "stages": [{"split": "newline"}], "to": {"file": "out"}}


@scenario(backends=("epoll",))
def a_wrong_command_line_is_64(case):
    for arguments in ([], ["rnu"], ["run", "--loud"], ["check", "a", "b"], ["list", "nothing-like-it"]):
        ended = case.command(*arguments)
        expect_equal(ended.returncode, 64, f"exit status of {arguments}")
        expect_equal(ended.stdout, b"", "standard output")
        expect(ended.stderr.startswith(b"viewduct: "), f"{arguments} says {ended.stderr}")


@scenario(backends=("epoll",))
def help_version_and_list_are_printed(case):
    for arguments, words in (
        (["help"], ["viewduct run", "viewduct explain"]),
        (["--help"], ["viewduct check"]),
        (["version"], ["viewduct ", "io_uring", "PCRE2"]),
        (["list"], ["sources", "split", "stdout"]),
        (["list", "filter"], ["contains", "regex"]),
        (["list", "--format", "markdown"], ["compress"]),
    ):
        ended = case.command(*arguments)
        expect_equal((ended.returncode, ended.stderr), (0, b""), f"status and standard error of {arguments}")
        for word in words:
            expect(word in ended.stdout.decode(), f"{arguments} does not speak of {word}: {ended.stdout}")


@scenario(backends=("epoll",))
def check_is_silent_when_all_is_well(case):
    configuration = case.configure({"pipelines": {"main": PASS}})
    ended = case.command("check", configuration)
    expect_equal((ended.returncode, ended.stdout, ended.stderr), (0, b"", b""), "status, output, errors")
    ended = case.command("check", "--format", "json", configuration)
    expect_equal((ended.returncode, json.loads(ended.stdout), ended.stderr), (0, [], b""), "the same in JSON")


@scenario(backends=("epoll",))
def check_reads_standard_input(case):
    text = json.dumps({"pipelines": {"main": PASS}}).encode()
    expect_equal(case.command("check", "-", input=text).returncode, 0, "exit status")
    ended = case.command("check", "-", input=text[:-1])
    expect_equal(ended.returncode, 78, "exit status of half a configuration")
    expect(b"<stdin>:1:" in ended.stderr, f"no place in {ended.stderr}")


@scenario(backends=("epoll",))
def every_fault_has_its_place_and_remedy(case):
    text = """{
  "service": { "memory": 65536 },
  "pipelines": {
    "main": { "from": [ { "tcp": { "listen": "127.0.0.1" } } ],
      "stages": [ { "splitt": "newline" }, { "filter": { "regex": "a(" } } ],
      "to": [] } } }
"""
    path = case.write("wrong.json", text.encode())
    ended = case.command("check", path)
    expect_equal((ended.returncode, ended.stdout), (78, b""), "status and output")
    places = re.findall(r"wrong\.json:(\d+):(\d+): ", ended.stderr.decode())
    expect(len(places) >= 4, f"too few faults in {ended.stderr.decode()}")
    expect_equal(places, sorted(places, key=lambda place: (int(place[0]), int(place[1]))), "the order of the faults")
    for words in ("64KiB", "split", "^"):
        expect(words in ended.stderr.decode(), f"no {words} in {ended.stderr.decode()}")
    faults = json.loads(case.command("check", "--format", "json", path).stdout)
    expect_equal([(str(fault["line"]), str(fault["column"])) for fault in faults], places, "the places in JSON")
    expect_equal(case.command("run", path).returncode, 78, "exit status of run")


@scenario(backends=("epoll",))
def no_configuration_to_read_is_78(case):
    for command in ("run", "check", "explain"):
        ended = case.command(command, case.path("nowhere.json"))
        expect_equal(ended.returncode, 78, f"exit status of {command}")
        expect(b"nowhere.json" in ended.stderr, f"{command} says {ended.stderr}")


@scenario(backends=("epoll",))
def faults_look_alike_wherever_they_are_found(case):
    """Without a place they have a remedy, too, and no time."""
    missing = case.path("nowhere.json")
    bad = {"file": {"path": case.path("nothing"), "follow": False}}
    start = case.configure(one(bad, [{"split": "newline"}], "null"))
    for arguments, message in ((["check", missing], b"cannot read " + missing.encode()),
                               (["run", start], b"main.from.0: no such file: ")):
        ended = case.command(*arguments)
        expect(ended.stderr.startswith(message), f"{arguments} says {ended.stderr}")
        expect(b"\n  remedy: " in ended.stderr, f"no remedy in {ended.stderr}")


@scenario(backends=("epoll",))
def standard_input_is_read_once(case):
    text = json.dumps({"pipelines": {"main": PASS}}).encode()
    expect_equal(case.command("check", "-", input=text).returncode, 0, "exit status of check")
    ended = case.command("run", "-", input=text)
    expect_equal(ended.returncode, 78, "exit status of run")
    for words in (b"<stdin>:1:", b"standard input", b"remedy: "):
        expect(words in ended.stderr, f"no {words} in {ended.stderr}")
    other = json.dumps({"pipelines": {"main": PASS | {"from": {"generate": 1}}}}).encode()
    expect_equal(case.command("run", "-", input=other).returncode, 0, "exit status without stdin")


@scenario(backends=("epoll",))
def no_env_leaves_variables_alone(case):
    path = case.configure(one({"tcp": "${VIEWDUCT_NO_SUCH_THING}"}, [{"split": "newline"}], "null"))
    expect_equal(case.command("check", path).returncode, 78, "exit status with the environment")
    ended = case.command("check", "--no-env", path)
    expect_equal((ended.returncode, ended.stderr), (0, b""), "status without it")


@scenario()
def explain_tells_the_plan(case):
    path = case.configure({"pipelines": {"main": {
        "from": "stdin",
        "stages": [{"split": "newline"}, {"filter": "ERROR"}],
        "to": [{"file": "a"}, {"file": "b", "stages": [{"compress": "zstd"}], "when_full": "drop"}]}}})
    ended = case.command("explain", path)
    expect_equal((ended.returncode, ended.stderr), (0, b""), "status and errors")
    for words in (case.backend, "main.filter", "main.to.1.compress", "literal", "records", "frames"):
        expect(words in ended.stdout.decode(), f"no {words} in {ended.stdout.decode()}")
    json.loads(case.command("explain", "--format", "json", path).stdout)


@scenario()
def the_summary_is_for_people_or_for_programs(case):
    log = case.write("in.log", b"a ERROR\nb\n" * 500)
    configuration = one({"file": {"path": log, "follow": False}}, [{"split": "newline"}, {"filter": "ERROR"}],
                        [{"file": "out"}, {"file": "out.zst", "stages": [{"compress": "zstd"}]}])
    text = case.run(configuration, log_format="text").stderr.decode()
    for words in ("1,000", "500 filtered", "50 % kept", "written", " : 1", "0 B copied", f"io {case.backend}"):
        expect(words in text, f"no {words} in {text}")
    expect("summary" not in text, "an event for programs")
    quiet = case.run(configuration, log_format="text", arguments=["--quiet", "--log-level", "warning"])
    expect_equal(quiet.stderr, b"", "standard error, quiet")
    result = case.run(configuration)
    expect_equal(result.node("filter")["filtered"], 500, "filtered")
    expect_equal(set(result.node("filter")), {"records_in", "records_out", "bytes_in", "bytes_out", "filtered", "dropped",
                                             "copied", "held"}, "the members of a node")


@scenario()
def log_lines_are_one_line_each_and_parse(case):
    taken = case.write("no-directory", b"")
    configuration = one("stdin", [{"split": "newline"}], {"file": taken + "/a\nb\"c\\d\x1b[2J"})
    line = rb'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(info|warning|error)( [a-z]+=\S+)* msg="([^"\\]|\\.)*"\n'
    ended = case.daemon(configuration, log_format="text", arguments=["--quiet"], wait=False).finish(status=74)
    expect(b"\x1b" not in ended.stderr, f"a control character in {ended.stderr}")
    started = case.run(one("stdin", [{"split": "newline"}], "null"), log_format="text", arguments=["--quiet"])
    expect(re.fullmatch(b"(" + line + b")+", started.stderr), f"these are no log lines: {started.stderr}")


@scenario(backends=("epoll",))
def a_broken_standard_output_is_told(case):
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([case.options.binary, "schema"], stdout=full, stderr=subprocess.PIPE, check=False)
    expect_equal(ended.returncode, 74, "exit status")
    expect(b"standard output" in ended.stderr, f"it says {ended.stderr}")


TESTED = {
    "pipelines": {
        "errors": {
            "from": [{"tcp": "127.0.0.1:1"}, {"udp": "127.0.0.1:1"}],
            "stages": [{"split": "newline"}, {"filter": "ERROR"}],
            "to": [{"file": "/proc/nowhere/errors.zst", "stages": ["compress"]}, {"tcp": "127.0.0.1:1"}],
        }
    },
    "tests": [
        {"name": "errors pass", "pipeline": "errors", "in": ["an ER", "ROR\nfine\n"],
         "out": {"errors.to.0": ["an ERROR\n"], "errors.to.1": ["an ERROR\n"]}},
        {"name": "nothing else does", "pipeline": "errors", "in": {"from.1": ["fine"]}, "out": {"to.0": []}},
    ],
}


@scenario(backends=("epoll",))
def tests_run_without_what_they_name(case):
    ended = case.command("test", case.configure(TESTED))
    expect_equal((ended.returncode, ended.stderr), (0, b""), "status and standard error")
    expect_equal(ended.stdout.decode(), "ok     errors pass\nok     nothing else does\n2 tests, 0 failed\n", "output")


@scenario(backends=("epoll",))
def tests_that_fail_show_what_differs(case):
    wrong = json.loads(json.dumps(TESTED))
    wrong["tests"][0]["out"]["errors.to.1"] = ["an error\n", "an ERROR\n"]
    wrong["tests"][1]["in"]["from.1"] = [{"hex": "ff4552524f521b"}]
    ended = case.command("test", case.configure(wrong))
    expect_equal((ended.returncode, ended.stderr), (1, b""), "status and standard error")
    expect_equal(ended.stdout.decode(), """FAILED errors pass
  errors.to.1: missing (-) and found (+)
    - "an error\\n"
      "an ERROR\\n"
FAILED nothing else does
  errors.to.0: missing (-) and found (+)
    + "\\xffERROR\\x1b\\n"
2 tests, 2 failed
""", "output")


@scenario(backends=("epoll",))
def tests_that_fail_tell_what_was_dropped(case):
    pipeline = {"from": {"tcp": "127.0.0.1:1"}, "to": "null",
                "stages": [{"split": {"on": "newline", "max_record": "4B", "too_long": "drop"}}]}
    tests = [{"name": "all pass", "pipeline": "main", "in": ["fine\ntoo long\n"], "out": {"to.0": ["fine\ntoo long\n"]}}]
    ended = case.command("test", case.configure({"pipelines": {"main": pipeline}, "tests": tests}))
    expect_equal((ended.returncode, ended.stderr), (1, b""), "status and standard error")
    expect_equal(ended.stdout.decode(), """FAILED all pass
  main.to.0: missing (-) and found (+)
      "fine\\n"
    - "too long\\n"
  main.split dropped 1 (too_long)
1 test, 1 failed
""", "output")


@scenario(backends=("epoll",))
def tests_of_what_is_not_there_are_faults(case):
    wrong = json.loads(json.dumps(TESTED))
    wrong["tests"][0]["out"] = {"errors.to.9": []}
    wrong["tests"][1]["pipeline"] = "error"
    path = case.configure(wrong)
    for command in ("test", "check"):
        ended = case.command(command, path)
        expect_equal((ended.returncode, ended.stdout), (78, b""), f"status and output of {command}")
        for words in (b'has no sink "errors.to.9"', b'no pipeline "error"', b'write "errors"'):
            expect(words in ended.stderr, f"{command} does not say {words}: {ended.stderr.decode()}")


@scenario(backends=("epoll",))
def included_pipelines_run_with_the_others(case):
    os.mkdir(case.path("conf.d"))
    os.mkdir(case.path("conf.d/lists"))
    case.write("in", b"one\ntwo\n")
    case.write("conf.d/lists/words", b"two\n")
    case.write("conf.d/copy.json", json.dumps({"//": "a copy", "pipelines": {"copy": {
        "from": {"file": {"path": "in", "follow": False}},
        "stages": [{"split": "newline"}, {"filter": {"contains": {"$lines": "lists/words"}}}],
        "to": {"file": "copied"}}}}).encode())
    result = case.run({"include": "conf.d/*.json", "pipelines": {"main": PASS}})
    expect_equal(case.read("copied"), b"two\n", "what the included pipeline copied")
    expect_equal(sorted(result.summary), ["copy.filter", "copy.from.0", "copy.split", "copy.to.0", "main.from.0",
                                          "main.split", "main.to.0"], "the nodes")


@scenario(backends=("epoll",))
def faults_of_included_files_have_their_places(case):
    os.mkdir(case.path("conf.d"))
    case.write("conf.d/wrong.json", b'{ "pipelines": {\n  "other": { "from": "stdinn", "to": "stdout" },\n'
                                    b'  "main": { "from": "stdin", "to": "null" } } }\n')
    path = case.configure({"include": ["conf.d/*.json", "none/*"], "pipelines": {"main": PASS}})
    ended = case.command("check", path)
    expect_equal((ended.returncode, ended.stdout), (78, b""), "status and output")
    said = ended.stderr.decode()
    for words in ("conf.d/wrong.json:2:22: ", "conf.d/wrong.json:3:3: there are two pipelines", 'remedy: write "stdin"',
                  "viewduct.json:7:5", '"none/*" includes no file'):
        expect(words in said, f"no {words} in {said}")


@scenario(backends=("epoll",))
def the_plan_can_be_drawn(case):
    path = case.configure(TESTED)
    text = case.command("explain", "--graph", "dot", path).stdout.decode()
    line = r'(digraph viewduct \{|rankdir=LR;|subgraph cluster_\d+ \{|label="[^"]*";|\}|(n\d+_\d+)( -> (n\d+_\d+))?' \
           r' \[[a-z]+=\w+(, label="([^"\\]|\\.)*")?\];|n\d+_\d+ -> n\d+_\d+ \[label="([^"\\]|\\.)*"\];)'
    for number, found in enumerate(text.splitlines()):
        expect(re.fullmatch(line, found.strip()), f"line {number} is not in Graphviz's language: {found}")
    expect_equal(text.count("{"), text.count("}"), "braces")
    nodes = set(re.findall(r"(n\d+_\d+) \[shape", text))
    expect_equal(set(re.findall(r"n\d+_\d+", text)), nodes, "the nodes of edges")
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=False)
        expect_equal((drawn.returncode, drawn.stderr), (0, b""), "what Graphviz says")
        expect(b"errors.from.0" in drawn.stdout, "it draws no node")
    text = case.command("explain", "--graph=mermaid", path).stdout.decode()
    expect(text.startswith("flowchart LR\n"), text)
    line = r'(flowchart LR|subgraph p\d+\["[^"]*"\]|end|n\d+_\d+(\(\["[^"]*"\]\)|\["[^"]*"\]|\(\("[^"]*"\)\)|' \
           r'\[\["[^"]*"\]\])|n\d+_\d+ -(\.-|-)>\|"[^"]*"\| n\d+_\d+)'
    for number, found in enumerate(text.splitlines()):
        expect(re.fullmatch(line, found.strip()), f"line {number} is not in Mermaid's language: {found}")
    expect_equal(set(re.findall(r"n\d+_\d+", text)), nodes, "the nodes in Mermaid's language")


@scenario()
def standard_input_that_cannot_be_read_is_told_by_the_status(case):
    folder = os.open(case.path(""), os.O_RDONLY)
    try:
        result = case.run(one("stdin", ["split"], "null"), stdin=folder, status=74)
    finally:
        os.close(folder)
    expect("cannot read standard input: Is a directory" in result.messages("error"), f"what is said: {result.messages()}")
