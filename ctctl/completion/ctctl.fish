# fish completion for ctctl(1)

function __ctctl_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :dirs
                __fish_complete_directories "$word"
            case :files
                __fish_complete_path "$word"
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c ctctl -f -k -a '(__ctctl_complete)'
