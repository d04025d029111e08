package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"
)

// addCompletionCommands adds the command completion, with install below it.
func (a *app) addCompletionCommands(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "Print the script that completes commands, flags and names in a shell"
			cmd.Long = "Prints the completion script of a shell. It completes commands and flags, and the names of rules, vaults and machines\n" +
				"from the config and from the estate of --simulate; it never asks Azure. azbackup completion install says where it goes."
			for _, sub := range cmd.Commands() {
				if sub.Name() == "bash" {
					a.addBashFallback(sub)
				}
			}
			cmd.AddCommand(a.completionInstallCommand())
		}
	}
}

// addBashFallback makes the script of bash work without the package bash-completion as well, of which it needs one
// function.
func (a *app) addBashFallback(cmd *cobra.Command) {
	write := cmd.RunE
	cmd.Long = strings.ReplaceAll(cmd.Long, "This script depends on the 'bash-completion' package.\n"+
		"If it is not installed already, you can install it via your OS's package manager.", "It is loaded by the package bash-completion, or by a line in .bashrc: source <(azbackup completion bash).")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := write(cmd, args); err != nil {
			return err
		}
		_, err := io.WriteString(a.Out, bashFallback)
		return err
	}
}

// bashFallback replaces the function with which cobra's script gets the words of the command line.
const bashFallback = `
# Without the package bash-completion the words are those up to the cursor, parted at blanks.
__azbackup_init_completion()
{
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local line=${COMP_LINE:0:COMP_POINT}
    read -r -a words <<<"$line"
    if [[ $line == *[[:space:]] ]]; then
        words+=("")
    fi
    cword=$((${#words[@]} - 1))
    cur=${words[cword]}
    prev=
    if [[ $cword -gt 0 ]]; then
        prev=${words[cword - 1]}
    fi
}
`

func (a *app) completionInstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "install [SHELL]",
		Short: "Say where the completion script goes, for the shell in use or for SHELL",
		Long:  "SHELL is bash, zsh, fish or powershell; without it, the one that the environment names. Writes nothing but its answer.",
		Args:  withUsageError(cobra.MaximumNArgs(1)),
		ValidArgsFunction: cobra.FixedCompletions([]string{"bash", "zsh", "fish", "powershell"},
			cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder),
		RunE: func(_ *cobra.Command, args []string) error {
			shell := a.shell()
			if len(args) > 0 {
				shell = args[0]
			}
			steps, ok := a.completionSteps(shell)
			if shell == "" {
				return withHint(errors.New("the environment does not say which shell is in use: SHELL is not set"), "azbackup completion install bash, zsh, fish or powershell")
			}
			if !ok {
				return withHint(fmt.Errorf("%q is no shell that azbackup has completions for", shell), "azbackup completion install bash, zsh, fish or powershell")
			}
			_, err := fmt.Fprint(a.Out, steps)
			return err
		},
	}
}

// shell returns the name of the shell in use, as far as the environment tells; "" where it does not.
func (a *app) shell() string {
	if shell, _ := a.Env("SHELL"); shell != "" {
		return path.Base(shell)
	}
	if modules, _ := a.Env("PSModulePath"); modules != "" {
		return "powershell" // which leaves SHELL unset; so do containers, whose shell is another one
	}
	return ""
}

// completionSteps returns the commands that install the completions of a shell.
func (a *app) completionSteps(shell string) (string, bool) {
	env := func(name, otherwise string) string {
		value, _ := a.Env(name)
		return cmp.Or(value, otherwise)
	}
	home := env("HOME", "~")
	var file, last string
	switch shell {
	case "bash":
		file = env("BASH_COMPLETION_USER_DIR", env("XDG_DATA_HOME", home+"/.local/share")+"/bash-completion") + "/completions/azbackup"
		last = "# A new shell has it where the package bash-completion is; else this line goes into .bashrc:\nsource " + quoteForShell(file)
	case "zsh":
		file = env("ZDOTDIR", home) + "/.zfunc/_azbackup"
		last = "# In .zshrc, before compinit (once):\nfpath=(" + quoteForShell(path.Dir(file)) + " $fpath)\nautoload -U compinit && compinit"
	case "fish":
		file = env("XDG_CONFIG_HOME", home+"/.config") + "/fish/completions/azbackup.fish"
		last = "# A new shell has it."
	case "powershell", "pwsh":
		return "# In the file that $PROFILE names:\nazbackup completion powershell | Out-String | Invoke-Expression\n", true
	default:
		return "", false
	}
	return fmt.Sprintf("mkdir -p %s\nazbackup completion %s > %s\n%s\n", quoteForShell(path.Dir(file)), shell, quoteForShell(file), last), true
}

// quoteForShell returns a path as one word of a shell, quoted only where that is necessary.
func quoteForShell(s string) string {
	if isCompletable(s) && !strings.ContainsAny(s, ", ") || strings.HasPrefix(s, "~/") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
