#compdef @PROGRAM@
# zsh completion for @PROGRAM@(8), out of its --help

_@PROGRAM@() {
    local help verbs w before=$words[CURRENT-1]
    help=$($words[1] --help 2>/dev/null)
    verbs=$(sed '1,/^Verbs/d' <<<$help)
    if [[ $before = -* ]] && grep -qE -- "$before,? .*[A-Z]{3}" <<<$help; then
        _files
        return
    elif [[ $PREFIX = -* ]]; then
        verbs=$(grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' <<<$help | grep -oE -- '-.*')
    else
        for w in $words[2,CURRENT-1]; do
            grep -qE "^  $w( |\$)" <<<$verbs && verbs=$(sed -n "s/^  $w \([a-z]\)/  \1/p" <<<$verbs)
        done
        verbs=$(sed -n 's/^  \([a-z][a-z]*\).*/\1/p' <<<$verbs)
    fi
    if [ -n "$verbs" ]; then
        compadd -- ${(fu)verbs}
    else
        _files
    fi
}

_@PROGRAM@ "$@"
