
# What is below the root, which -C chooses. A link to a directory has no slash behind it: that would not name the link.
_caplink_below_root() {
    local typed=$2 root=${CAPLINK_ROOT:-.} verb= at path name
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
            -C | --root) root=${COMP_WORDS[at + 1]} ;;
            create | ensure | swap | exchange | remove | inspect | resolve | repair) verb=${COMP_WORDS[at]} ;;
        esac
    done
    # An option's value may be anything.
    if [[ -z $verb || $typed == -* || $3 == -* ]]; then
        _caplink "$@"
        return
    fi
    COMPREPLY=()
    for path in "$root/$typed"*; do
        [[ -e $path || -L $path ]] || continue
        name=$(printf '%q' "${path#"$root"/}")
        [[ -L $path || ! -d $path ]] || name+=/
        COMPREPLY+=("$name")
    done
    [[ ${COMPREPLY[*]} != */ ]] || compopt -o nospace 2>/dev/null
}

complete -F _caplink_below_root -o nosort caplink
