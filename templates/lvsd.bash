# Completion for bash. Derived from the command line and the declarations by `make docs`; do not edit.
# Source it, or copy it to /usr/share/bash-completion/completions/lvsd.

{% macro fill(words) %}COMPREPLY=($(compgen -W '{{ words | join(" ") }}' -- "$word")){% endmacro %}
_lvsd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        {{ fill((verbs | map(attribute="name") | list) + (options | map(attribute="flags") | sum(start=()) | list)) }}
        return
    fi
    case $before in
        {{ files | join(" | ") }})
            COMPREPLY=($(compgen -f -- "$word"))
            return
            ;;
    esac
    case $verb in
{% for verb in verbs %}
        {{ verb.name }})
            if [[ $word == -* ]]; then
                {{ fill(verb.flags) }}
{% if verb.name == "explain" %}
            else
                {{ fill(words) }}
{% elif verb.takes_file %}
            else
                COMPREPLY=($(compgen -f -- "$word"))
{% endif %}
            fi
            ;;
{% endfor %}
        -*)
            {{ fill(options | map(attribute="flags") | sum(start=())) }}
            ;;
    esac
}

complete -F _lvsd lvsd
