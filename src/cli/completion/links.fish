
# What is below the root, which -C chooses. A link to a directory has no slash behind it: that would not name the link.
function __caplink_below_root
    set -l root .
    set -q CAPLINK_ROOT; and set root $CAPLINK_ROOT
    set -l before
    for word in (commandline -opc)
        contains -- "$before" -C --root; and set root $word
        set before $word
    end
    set -l from (math (string length -- $root) + 2)
    for path in $root/(commandline -ct)*
        set -l name (string sub -s $from -- $path)
        if not test -L $path; and test -d $path
            set name $name/
        end
        echo $name
    end
end

for verb in create ensure swap exchange remove inspect resolve repair
    complete -c caplink -n "__fish_caplink_using_subcommand $verb" -f -a '(__caplink_below_root)'
end
