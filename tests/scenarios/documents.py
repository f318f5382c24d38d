"""What is written down agrees with what the binary does."""

import json
import os

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
def the_schema_is_fresh(case):
    made = case.command("schema").stdout
    expect((ROOT / "config/viewduct.schema.json").read_bytes() == made, "do: make docs")
    expect(json.loads(made)["$schema"], "it is no schema")


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
