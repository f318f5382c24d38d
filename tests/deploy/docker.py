#!/usr/bin/env python3
"""The image and its compose file, built and driven by the README's own commands, from a clean copy of the project."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys

import yaml
from deployment import (FOLDER, PATIENCE, ROOT, Skip, ask, debian, debian_with, expect, expect_equal, expect_mirror,
                        expect_no_loss, process_status, readme_commands, run, send, until)
from engine import Engine

CLONE = FOLDER / "clone"
IO_URING = {"io_uring_setup", "io_uring_enter", "io_uring_register"}


def clone():
    """What git would give: no more than what is tracked, or would be."""
    shutil.rmtree(CLONE, ignore_errors=True)
    CLONE.mkdir(parents=True)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=False)
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]
    if listed.returncode != 0:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if path.is_file() and path.relative_to(ROOT).parts[0] not in ("build", ".git")]
    for name in names:
        (CLONE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, CLONE / name)


def stand_in_for_prometheus():
    """The same program from Debian's package, laid out as the image that users get."""
    tree = debian_with("prometheus", ["prometheus"])
    home = tree / "prometheus"
    home.mkdir(exist_ok=True)
    os.chown(home, 65534, 65534)
    arguments = ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
    changes = ["USER 65534", "WORKDIR /prometheus", 'ENTRYPOINT ["/usr/bin/prometheus"]',
               f"CMD {json.dumps(arguments)}"]
    return tree, "".join(f" -c {shlex.quote(change)}" for change in changes)


def image_of(service):
    """The image that the compose file names."""
    file = yaml.safe_load((CLONE / "docker/compose.yaml").read_text(encoding="utf-8"))
    return file["services"][service]["image"]


def commands(name):
    """The README's, for the compose that is here: Debian has it as a program of its own."""
    plugin = subprocess.run(["/usr/bin/docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    return [line if plugin else line.replace("docker compose", "docker-compose")
            for line in readme_commands("test-docker", name)]


def write_compose_file():
    """The file that users get, with what must differ here: there is no bridge, so all are on the engine's own loopback;
    and one runs on a profile that refuses io_uring, as Docker's own does from version 25."""
    profile = json.loads((CLONE / "docker/seccomp.json").read_text(encoding="utf-8"))
    calls = set(profile["syscalls"][0]["names"])
    expect(IO_URING <= calls, "docker/seccomp.json does not allow io_uring")
    profile["syscalls"][0]["names"] = sorted(calls - IO_URING)
    (CLONE / "docker/no-uring.json").write_text(json.dumps(profile), encoding="utf-8")
    file = yaml.safe_load((CLONE / "docker/compose.yaml").read_text(encoding="utf-8"))
    for service in file["services"].values():
        service.pop("ports", None)
        service |= {"network_mode": "host", "extra_hosts": ["viewduct:127.0.0.1", "archive:127.0.0.1"]}
        if "build" in service:
            service["build"] = service["build"] | {"network": "host"}
    file["services"]["archive"]["security_opt"].append("seccomp:no-uring.json")
    (CLONE / "docker/here.json").write_text(json.dumps(file), encoding="utf-8")
    archive = json.loads((CLONE / "docker/archive.json").read_text(encoding="utf-8"))
    archive["service"] = {"admin": "127.0.0.1:9465"}  # the other one has the usual port of this loopback
    (CLONE / "docker/archive.json").write_text(json.dumps(archive), encoding="utf-8")


def compose_variables():
    return {"COMPOSE_FILE": "here.json"}


class Deployment:
    def __init__(self):
        self.engine = None

    def start(self, isolated):
        if self.engine:
            self.engine.close()
        self.engine = Engine(isolated)

    def have_image(self, image, stand_in):
        """Pulls it, or imports what stands for it: a tree, and what is to be said of it."""
        if self.engine.try_run(f"docker image inspect {image} || timeout 60 docker pull -q {image}", FOLDER)[0] != 0:
            tree, changes = stand_in()
            self.engine.run(f"tar -C {tree} -c . | docker import{changes} - {image}")

    def compose(self, arguments, **more):
        command = commands("look")[0].split(" logs")[0]
        return self.engine.run(f"{command} {arguments}", CLONE / "docker", **compose_variables(), **more)

    def logs(self, service):
        return self.compose(f"logs --no-color {service}")

    def volume(self, name):
        return FOLDER / f"docker/volumes/viewduct_{name}/_data"

    def records(self):
        try:
            return (self.volume("logs") / "all.log").read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def inspect(self, service):
        number = self.compose(f"ps -q {service}").strip()
        return json.loads(self.engine.run(f"docker inspect {number}"))[0]

    def connect(self, port):
        return self.engine.inside(lambda: socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))

    def close(self):
        if self.engine:
            self.engine.close()


# The steps, one behind the other.


def the_image_is_built(deployment):
    """With the base image, or what stands for it where no registry can be reached: Debian's own packages."""
    deployment.have_image(image_of("program"), lambda: (debian(), ""))
    deployment.have_image(image_of("prometheus"), stand_in_for_prometheus)
    deployment.engine.run(f"{commands('look')[0].split(' logs')[0]} -f compose.yaml config -q", CLONE / "docker")
    build = commands("alone")[0]
    deployment.engine.run(build.replace("build ", "build --network host ", 1), CLONE)
    deployment.compose("build")


def the_image_is_small_and_has_no_shell(deployment):
    image = json.loads(deployment.engine.run("docker image inspect viewduct"))[0]
    expect(image["Size"] < 20_000_000, f"the image has {image['Size']} bytes")
    expect_equal(image["Config"]["User"], "65532:65532", "its user")
    listed = deployment.engine.run("docker create --name look viewduct >&2"
                                   " && docker export look | tar -tv --numeric-owner; docker rm look >&2")
    expect("usr/bin/viewduct" in listed, listed)
    programs = [line.split()[-1] for line in listed.splitlines() if re.search(r" (usr/)?s?bin/[^/]+$", line)]
    expect_equal(programs, ["usr/bin/viewduct"], "programs in the image")
    for folder in ("var/lib/viewduct/", "var/log/viewduct/", "run/viewduct/"):
        line = next(line for line in listed.splitlines() if line.endswith(" " + folder))
        expect_equal(line.split()[1], "65532/65532", folder)
    expect("0.1.0" in deployment.engine.run("docker run --rm --network none viewduct version"), "it does not run")


def the_readme_starts_it(deployment):
    """On a network of its own; what was built is taken from the cache."""
    deployment.start(isolated=True)
    for command in commands("up"):
        deployment.engine.run(command, CLONE, **compose_variables())
    for service in ("viewduct", "archive"):
        until(lambda: "has started" in deployment.logs(service), f"the start of {service}")


def one_runs_on_io_uring_and_one_on_epoll(deployment):
    """Where io_uring is refused, it is said once."""
    version = deployment.engine.run("docker run --rm --network none --security-opt seccomp=unconfined viewduct version")
    log = deployment.logs("archive")
    expect("io epoll" in log, log)
    expect_equal(log.count("no io_uring"), 1, f"what is said of it: {log}")
    if "io_uring    yes" not in version:
        raise Skip("this machine has no io_uring")
    expect("io uring" in deployment.logs("viewduct"), deployment.logs("viewduct"))


def what_the_program_logs_arrives_on_every_way(deployment):
    for way in (rb"^tcp \d+$", rb"unix \d+ ERROR$", rb"^file \d+$"):
        until(lambda: any(re.search(way, record) for record in deployment.records()), f"{way} in all.log")


def it_can_be_scraped(deployment):
    """By Prometheus, which shares its network."""
    def found():
        with deployment.connect(9090) as connection:
            status, answer = ask(connection, "/api/v1/query?query=viewduct_records_total")
        return status == 200 and '"pipeline":"logs"' in answer

    until(lambda: "Server is ready" in deployment.logs("prometheus"), "Prometheus")
    until(found, "the first scrape")
    with deployment.connect(9464) as connection:
        status, metrics = ask(connection, "/metrics")
    expect(status == 200 and re.search(r'viewduct_records_total{pipeline="logs".*} [1-9]', metrics), metrics[:2000])


def errors_are_archived_and_secrets_are_kept(deployment):
    token = (CLONE / "docker/api_token").read_text(encoding="ascii").strip().encode()
    send(deployment, b"with the token " + token + b" ERROR\nan ERROR of ours\n")
    until(lambda: b"an ERROR of ours" in deployment.records(), "the record")
    expect(not any(token in record for record in deployment.records()), "the secret is in all.log")
    deployment.compose("stop archive")
    files = list(deployment.volume("archive").glob("errors-*.log.zst"))
    data = b"".join(subprocess.run(["zstd", "-dcq", file], capture_output=True, check=True).stdout for file in files)
    expect(b"an ERROR of ours\n" in data and token not in data, f"{files} hold {data[-500:]}")
    deployment.compose("start archive")


def they_have_no_privileges(deployment):
    for service in ("viewduct", "archive"):
        number = deployment.inspect(service)["State"]["Pid"]
        status = process_status(f"/proc/{deployment.engine.daemon()}/root/proc/{number}")
        expect_equal({name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")},
                     dict.fromkeys(("CapEff", "CapPrm", "CapBnd"), 0), f"capabilities of {service}")
        found = status["Uid"].split(), status["NoNewPrivs"], status["Seccomp"]
        expect_equal(found, (["65532"] * 4, "1", "2"), service)
        expect(deployment.inspect(service)["HostConfig"]["ReadonlyRootfs"], f"{service} can write to its root")


def restarting_under_load_loses_nothing(deployment):
    """A connection is read to its end before the old one goes; the next ones wait for the new one."""
    log, restart, _ = commands("look")
    before = deployment.inspect("viewduct")["State"]["StartedAt"]
    expect_no_loss(deployment, Deployment.records, 50_000,
                   lambda: deployment.engine.run(restart, CLONE / "docker", **compose_variables()))
    expect(deployment.inspect("viewduct")["State"]["StartedAt"] != before, "it was not restarted")
    said = deployment.engine.run(log, CLONE / "docker", **compose_variables())
    until(lambda: deployment.logs("viewduct").count("has started") == 2, "the second start")
    expect("draining" in said, said)


def a_broken_configuration_is_told(deployment):
    start = commands("alone")[1]
    (CLONE / "viewduct.json").write_text('{ "pipelines": { "p": { "from": "stdin", "to": "nul" } } }', encoding="ascii")
    status, said = deployment.engine.try_run(start.replace("-p 5140:5140", "--network none"), CLONE)
    expect_equal((status, '"nul"' in said), (78, True), said)


def the_health_check_passes(deployment):
    known = deployment.engine.run("docker run --rm --network none viewduct help")
    if not re.search(r"^ *viewduct .*health", known, re.M):
        raise Skip("there is no `viewduct health` yet")
    until(lambda: deployment.inspect("viewduct")["State"].get("Health", {}).get("Status") == "healthy", "health")


def going_down_is_clean(deployment):
    numbers = {service: deployment.inspect(service)["Id"] for service in ("viewduct", "archive")}
    deployment.compose("stop")
    for service, number in numbers.items():
        state = json.loads(deployment.engine.run(f"docker inspect {number}"))[0]["State"]
        expect_equal((state["ExitCode"], state["OOMKilled"]), (0, False), f"the end of {service}")
    deployment.engine.run(commands("look")[2], CLONE / "docker", **compose_variables())
    expect_equal(deployment.engine.run("docker ps -aq"), "", "containers that are left")
    deployment.engine.run("docker volume prune -f")


STEPS = [the_image_is_built, the_image_is_small_and_has_no_shell, the_readme_starts_it,
         one_runs_on_io_uring_and_one_on_epoll, what_the_program_logs_arrives_on_every_way, it_can_be_scraped,
         errors_are_archived_and_secrets_are_kept, they_have_no_privileges, restarting_under_load_loses_nothing,
         a_broken_configuration_is_told, the_health_check_passes, going_down_is_clean]


def begin():
    debian()
    expect_mirror()  # the image is built from its packages
    clone()
    write_compose_file()
    deployment = Deployment()
    deployment.start(isolated=False)
    deployment.engine.run("docker ps -aq | xargs -r docker rm -f; docker volume prune -f")  # of a run that failed
    return deployment


if __name__ == "__main__":
    sys.exit(run("docker", STEPS, begin))
