/*
 * The scripts hold no verb and no option: they ask the program that is being typed, so that they fit every version.
 * It answers with lines `value<tab>description`, or `:files`, `:dirs` where the shell knows better.
 */

const BASH = `# rawcloud completion for bash (3.2 and later): eval "$(rawcloud completion bash)"
_rawcloud() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null; return ;;
      :dirs) compopt -o dirnames 2>/dev/null; return ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # A comma list and the name of a variable go on.
  case \${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _rawcloud rawcloud
`;

const ZSH = `#compdef rawcloud
# rawcloud completion for zsh: eval "$(rawcloud completion zsh)" below compinit
_rawcloud() {
  local -a described
  local line
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files; return ;;
      :dirs) _files -/; return ;;
      *$'\\t'*) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) described+=("\${line//:/\\\\:}") ;;
    esac
  done
  (( \${#described} )) && _describe rawcloud described
}
if [[ \${funcstack[1]} == _rawcloud ]]; then _rawcloud "$@"; else compdef _rawcloud rawcloud; fi
`;

const FISH = `# rawcloud completion for fish: rawcloud completion fish > ~/.config/fish/completions/rawcloud.fish
function __rawcloud_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    switch "$found[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :dirs
            __fish_complete_directories (commandline -ct)
        case '*'
            test (count $found) -gt 0; and printf '%s\\n' $found
    end
end
complete -c rawcloud -f -a '(__rawcloud_complete)'
`;

/** Scripts by the name of their shell. */
export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
