"""What is written down agrees with what the binary does."""

import json
import os
import shutil
import subprocess

from harness import ROOT, Skip, expect, expect_equal, scenario

BEGIN, END = "<!-- reference: made by `make docs` -->", "<!-- reference ends -->"


@scenario(("epoll",))
def every_example_passes_check(case):
    examples = sorted((ROOT / "config/examples").glob("*.json"))
    expect(examples, "there are no examples")
    for example in examples:
        ended = case.command("check", str(example))
        expect_equal((ended.returncode, ended.stdout, ended.stderr), (0, b"", b""), f"check {example.name}")
        ended = case.command("explain", str(example))
        expect_equal(ended.returncode, 0, f"explain {example.name}")


@scenario(("epoll",))
def the_tests_inside_of_examples_pass(case):
    ran = 0
    for example in sorted((ROOT / "config/examples").glob("*.json")):
        if "tests" not in json.loads(example.read_text(encoding="utf-8")):
            continue
        ended = case.command("test", str(example))
        expect_equal((ended.returncode, ended.stderr), (0, b""), f"test {example.name}: {ended.stdout.decode()}")
        ran += ended.stdout.count(b"ok ")
    expect(ran > 0, "no example has tests")


@scenario(("epoll",))
def the_schema_is_fresh(case):
    made = case.command("schema").stdout
    expect((ROOT / "config/viewduct.schema.json").read_bytes() == made, "do: make docs")
    expect(json.loads(made)["$schema"], "it is no schema")


@scenario(("epoll",))
def the_manual_pages_and_the_completion_are_fresh(case):
    for name, command in (("viewduct.1", ("help", "--format", "roff")), ("viewduct.json.5", ("list", "--format", "roff")),
                          ("viewduct.bash", ("help", "--format", "bash"))):
        made = case.command(*command).stdout
        expect((ROOT / "config" / name).read_bytes() == made, f"{name}: do make docs")


@scenario(("epoll",))
def man_has_nothing_to_say_of_the_pages(case):
    if not shutil.which("man") or not shutil.which("groff"):
        raise Skip("man or groff is missing")
    for name, words in (("viewduct.1", ("EXIT STATUS", "--log-level")), ("viewduct.json.5", ("max_record", "SINKS"))):
        page = str(ROOT / "config" / name)
        shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, check=False,
                               env=case.environment() | {"MANWIDTH": "80", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"})
        expect_equal((shown.returncode, shown.stderr), (0, b""), f"what man says of {name}")
        for word in words:
            expect(word in shown.stdout.decode(), f"{name} does not speak of {word}")


def complete(case, *words):
    """What bash offers for the last word."""
    script = f"""source {ROOT / "config/viewduct.bash"}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _viewduct 2>&1; printf '%s\n' "${{COMPREPLY[@]}}" """
    ended = subprocess.run(["bash", "-c", script, "bash", "viewduct", *words], cwd=case.folder, capture_output=True,
                           check=True)
    return ended.stdout.decode().split()


@scenario(("epoll",))
def command_lines_are_completed(case):
    case.write("a.json", b"")
    case.write("a.text", b"")
    expect_equal(complete(case, "ex"), ["explain"], "a command")
    expect("check" in complete(case, ""), "all commands")
    expect_equal(complete(case, "run", "--log-level", ""), ["debug", "info", "warning", "error"], "levels")
    expect_equal(complete(case, "explain", "--graph", "=", "m"), ["mermaid"], "a graph, behind an equals sign")
    expect_equal(complete(case, "check", "--n"), ["--no-env"], "an option")
    expect_equal(complete(case, "list", "dec"), ["decompress"], "a kind")
    expect_equal(complete(case, "list", "tc"), ["tcp"], "a kind that is a source and a sink")
    expect_equal(complete(case, "check", "a"), ["a.json"], "a configuration")
    expect_equal(complete(case, "list", "servi"), ["service"], "settings")
    expect_equal(complete(case, "help", "sch"), ["schema"], "a command to be told of")
    expect_equal(complete(case, "version", ""), [], "nothing")
    expect_equal(complete(case, "--"), ["--help", "--version"], "options in a command's place")
    expect_equal(complete(case, "version", "--"), ["--help"], "an option of every command")
    expect_equal(complete(case, "test", "--f"), ["--format"], "an option of a command")


@scenario(("epoll",))
def the_readme_has_the_reference(case):
    readme = ROOT / "README.md"
    if not readme.exists() or BEGIN not in readme.read_text():
        raise Skip("README.md has no reference yet")
    reference = readme.read_text().partition(BEGIN)[2].partition(END)[0]
    made = case.command("list", "--format", "markdown").stdout.decode()
    expect_equal(reference.strip(), made.strip(), "the reference in README.md (do: make docs)")


@scenario()
def the_quick_start_gives_what_grep_gives(case):
    line = "2026-01-31 12:00:00 {} thing:amd64 1.0 {}\n"
    words = ("status installed", "upgrade", "status half-configured", "configure", "remove")
    log = "".join(line.format(words[number % 5], number) for number in range(5000))
    path = case.write("dpkg.log", log.encode())
    with open(ROOT / "config/examples/quickstart.json", encoding="utf-8") as file:
        configuration = json.load(file)
    os.makedirs(case.path("build/quickstart"))
    result = case.run(configuration, environment={"QUICKSTART_LOG": path}, log_format="text")
    wanted = [text for text in log.splitlines(keepends=True)
              if "status installed" in text or " upgrade " in text or " remove " in text]
    expect_equal(case.read("build/quickstart/packages.log").decode(), "".join(wanted), "the plain file")
    expect(b"packages: ended after" in result.stderr, f"no summary: {result.stderr}")
