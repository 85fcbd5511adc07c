# bash completion for ostler: the program itself knows its commands, options and domains.
_ostler()
{
	local cur=${COMP_WORDS[COMP_CWORD]}

	mapfile -t COMPREPLY < <(ostler complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	# Nothing to offer: let the shell offer files.
	if [ ${#COMPREPLY[@]} -eq 0 ] && [ "${cur:0:1}" != - ]; then
		compopt -o default
	fi
}
complete -F _ostler ostler
