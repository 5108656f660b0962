# fish completion for @PROGRAM@(8), out of its --help

function __@PROGRAM@_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l help ($words[1] --help 2>/dev/null)
    set -l verbs (string join \n $help | sed '1,/^Verbs/d')
    if string match -q -- '-*' $words[-1]; and string join \n $help | grep -qE -- "$words[-1],? .*[A-Z]{3}"
        __fish_complete_path "$word"
        return
    end
    if string match -q -- '-*' "$word"
        string join \n $help | grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' | grep -oE -- '-.*' | sort -u
        return
    end
    for w in $words[2..-1]
        if string join \n $verbs | grep -qE "^  $w( |\$)"
            set verbs (string join \n $verbs | sed -n "s/^  $w \([a-z]\)/  \1/p")
        end
    end
    set -l found (string join \n $verbs | sed -n 's/^  \([a-z][a-z]*\).*/\1/p' | sort -u)
    if test (count $found) -gt 0
        string join \n $found
    else
        __fish_complete_path "$word"
    end
end

complete -c @PROGRAM@ -f -a '(__@PROGRAM@_complete)'
