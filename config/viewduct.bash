# Completes viewduct's command lines in bash. Made by `make docs` from the table of commands.
# SPDX-License-Identifier: MIT

_viewduct()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
	local words='' options='' files='' IFS=$' \t\n'
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W 'run check explain schema list test status top tap reload reopen health version help --help --version' -- "$word"))
		return
	fi
	# With --option=word, bash takes the equals sign for a word of its own.
	if [[ $word == '=' ]]; then
		word=''
	elif [[ $before == '=' ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case "$verb $before" in
	'run --log-level') words='debug info warning error' ;;
	'run --log-format') words='text json' ;;
	'check --format') words='text json' ;;
	'explain --format') words='text json' ;;
	'explain --graph') words='dot mermaid' ;;
	'list --format') words='text markdown roff' ;;
	'test --format') words='text json' ;;
	'status --format') words='text json' ;;
	'status --admin') words='' ;;
	'status --config') words='' ;;
	'top --admin') words='' ;;
	'top --config') words='' ;;
	'tap --admin') words='' ;;
	'tap --config') words='' ;;
	'tap --grep') words='' ;;
	'tap --count') words='' ;;
	'reload --admin') words='' ;;
	'reload --config') words='' ;;
	'reopen --admin') words='' ;;
	'reopen --config') words='' ;;
	'health --admin') words='' ;;
	'health --config') words='' ;;
	'help --format') words='text roff bash' ;;
	esac
	if [[ $words ]]; then
		COMPREPLY=($(compgen -W "$words" -- "$word"))
		return
	fi
	case $verb in
	run)
		options='--log-level --log-format --quiet --help'
		files=yes
		;;
	check)
		options='--no-env --format --help'
		files=yes
		;;
	explain)
		options='--format --graph --help'
		files=yes
		;;
	schema)
		options='--help'
		;;
	list)
		options='--format --help'
		words='tcp unix udp file stdin generate split filter join compress decompress stdout null service pipeline branch tests'
		;;
	test)
		options='--format --help'
		files=yes
		;;
	status)
		options='--format --admin --config --help'
		;;
	top)
		options='--admin --config --help'
		;;
	tap)
		options='--admin --config --grep --count --raw --all --help'
		;;
	reload)
		options='--admin --config --help'
		;;
	reopen)
		options='--admin --config --help'
		;;
	health)
		options='--admin --config --ready --help'
		;;
	version)
		options='--help'
		;;
	help)
		options='--format --help'
		words='run check explain schema list test status top tap reload reopen health version help'
		;;
	esac
	if [[ $word == -* ]]; then
		words=$options files=''
	fi
	COMPREPLY=($(compgen -W "$words" -- "$word"))
	if [[ $files ]]; then
		IFS=$'\n'
		compopt -o filenames 2>/dev/null
		COMPREPLY+=($(compgen -d -- "$word") $(compgen -f -X '!*.json' -- "$word"))
	fi
}
complete -F _viewduct viewduct
