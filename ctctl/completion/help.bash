# bash completion for @PROGRAM@(8), out of its --help

_@PROGRAM@() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help verbs w
    help=$("${COMP_WORDS[0]}" --help 2>/dev/null)
    verbs=$(sed '1,/^Verbs/d' <<<"$help")
    COMPREPLY=()
    if [[ $before = -* ]] && grep -qE -- "$before,? .*[A-Z]{3}" <<<"$help"; then
        return # its value: a file, most likely
    elif [[ $word = -* ]]; then
        verbs=$(grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' <<<"$help" | grep -oE -- '-.*')
    else
        for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
            grep -qE "^  $w( |\$)" <<<"$verbs" && verbs=$(sed -n "s/^  $w \([a-z]\)/  \1/p" <<<"$verbs")
        done
        verbs=$(sed -n 's/^  \([a-z][a-z]*\).*/\1/p' <<<"$verbs")
    fi
    while IFS= read -r w; do
        COMPREPLY+=("$w")
    done < <(compgen -W "$verbs" -- "$word" | sort -u)
}

complete -o default -F _@PROGRAM@ @PROGRAM@
