#!/bin/sh
# The quick start: runs quickstart.json on this machine's package log, or on a sample where there is none, and says what
# to try next. Called by `make run`, in the project's folder: quickstart.sh BINARY
# SPDX-License-Identifier: MIT
set -eu

binary=$1
folder=build/quickstart
mkdir -p "$folder"

log=/var/log/dpkg.log
if ! [ -r "$log" ] || ! [ -s "$log" ]; then
	log=$folder/sample.log
	awk 'BEGIN {
		split("status half-installed,status unpacked,status half-configured,status installed,upgrade,configure", what, ",")
		for (i = 0; i < 200000; i++)
			printf "2026-01-31 %02d:%02d:%02d %s library%d:amd64 1.%d-1\n", i / 3600 % 24, i / 60 % 60, i % 60,
				what[i % 6 + 1], i % 977, i % 13
	}' > "$log"
	echo "no /var/log/dpkg.log here: a sample of 200,000 lines takes its place"
fi

echo "\$ QUICKSTART_LOG=$log $binary run config/examples/quickstart.json"
QUICKSTART_LOG=$log "$binary" run config/examples/quickstart.json

cat <<END

What it wrote:
  head $folder/packages.log
  zstd -dc $folder/packages.log.zst | head

What to try next:
  $binary explain config/examples/quickstart.json     what each node does, and what it copies
  $binary check config/examples/quickstart.json       everything that is wrong with a configuration: nothing
  $binary list filter                                 the options of a kind

  A listener that keeps what contains ERROR, here, and in another terminal something to send (Ctrl-C ends it):
  echo '{"pipelines": {"try": {"from": {"tcp": "127.0.0.1:5140"},
    "stages": [{"split": "newline"}, {"filter": "ERROR"}], "to": "stdout"}}}' | $binary run -
  printf 'fine\nan ERROR\n' | nc -N 127.0.0.1 5140
END
