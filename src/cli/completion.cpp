#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "protocol/shape.hpp"

namespace penstock::cli {

namespace {

// Each asks `penstock complete` for what may stand at the cursor, of the program that stands on the line if it can be
// run, so that it offers what that program has.

// Bash splits words at colons and equals signs too, where COMP_WORDBREAKS has them, and replaces only the last piece.
constexpr std::string_view bash_script = R"script(# Completion of penstock for bash: eval "$(penstock completion bash)"
_penstock() {
  local line=${COMP_LINE:0:COMP_POINT} program reply candidate breaks= word
  program=$(type -P -- "${COMP_WORDS[0]/#\~/$HOME}") || program=penstock
  COMPREPLY=()
  mapfile -t reply < <("$program" complete --line "$line" 2>/dev/null)
  if [[ ${reply[0]-} == :files ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
  [[ $COMP_WORDBREAKS == *=* ]] && breaks+==
  word=${line##*[[:space:]]}
  [[ $breaks ]] && word=${word%"${word##*["$breaks"]}"} || word=
  for candidate in "${reply[@]}"; do
    candidate=${candidate%%$'\t'*}
    COMPREPLY+=("${candidate#"$word"}")
  done
}
complete -F _penstock penstock
)script";

constexpr std::string_view zsh_script = R"script(#compdef penstock
# Completion of penstock for zsh: eval "$(penstock completion zsh)", behind compinit
_penstock() {
  local program line
  local -a reply candidates shown
  program=${(Q)words[1]/#\~/$HOME}
  whence -p -- $program >/dev/null || program=penstock
  reply=("${(@f)$("$program" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $reply[1] == :files ]]; then
    _files
    return
  fi
  for line in $reply; do
    [[ -n $line ]] || continue
    candidates+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  -- }")
  done
  (( $#candidates )) && compadd -l -d shown -- $candidates
}
if [[ $funcstack[1] == _penstock ]]; then
  _penstock "$@"
elif (( $+functions[compdef] )); then
  compdef _penstock penstock
fi
)script";

constexpr std::string_view fish_script = R"script(# Completion of penstock for fish: penstock completion fish | source
function __penstock_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    command -q $program; or set program penstock
    set -l reply ($program complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$reply[1]" = :files
        __fish_complete_path (commandline -ct)
    else
        test (count $reply) -gt 0; and printf '%s\n' $reply
    end
end
complete -c penstock -f -a '(__penstock_complete)'
)script";

struct Script {
  std::string_view shell;
  std::string_view text;
};

constexpr std::array scripts{Script{"bash", bash_script}, Script{"zsh", zsh_script}, Script{"fish", fish_script}};

struct ShownScript {
  std::optional<std::string_view> shell;
  std::optional<std::string_view> text;

  static constexpr auto shape() {
    return protocol::Shape("ShownScript", protocol::optional("Shell", &ShownScript::shell),
                           protocol::optional("Script", &ShownScript::text));
  }
};

}  // namespace

int run_completion(const Arguments& arguments) {
  const std::string shell = arguments.word(0);
  for (const Script& script : scripts) {
    if (script.shell != shell) continue;
    if (arguments.json) {
      print_json(ShownScript{script.shell, script.text});
      return success_status;
    }
    Output output;
    output.write(script.text);
    output.flush();
    return success_status;
  }
  throw UsageError("bash, zsh or fish, not '" + shell + "'");
}

}  // namespace penstock::cli
