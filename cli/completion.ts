import { askJson } from './command/api.ts'
import { type CommandShape, UsageError } from './command/arguments.ts'
import type { Command } from './command/call.ts'
import { operations } from './operator/control/operations.ts'
import { whichControl } from './operator/control/which-control.ts'

const shells = ['bash', 'zsh'] as const

/** Prints what makes a shell ask `longhouse complete` on every Tab. */
export const completion: Command = {
  name: 'completion',
  takes: [{ name: 'shell', words: `a shell, ${shells.join(' or ')}`, example: 'bash' }],
  needsRepo: false,
  summary: 'prints the completion for bash or zsh',
  details:
    'For bash: source <(longhouse completion bash) in ~/.bashrc. For zsh: source <(longhouse completion zsh) in ~/.zshrc, ' +
    'after compinit. Names of instances are asked from the control plane.',
  options: {},
  run: async ({ args, output }) => {
    const script = scripts[args.id as (typeof shells)[number]]
    if (!script)
      throw new UsageError(`"${args.id}" is no shell that has a completion; there are ${shells.join(', ')}`)
    output.pass('out', script)
    return 0
  },
}

/** The words that could stand at the end of a command line: those that begin as its last word does. */
export async function completionsOf(
  words: readonly string[],
  commands: readonly CommandShape[],
  signal: AbortSignal,
): Promise<string[]> {
  const last = words.at(-1) ?? ''
  const all = await candidates(words.slice(0, -1), last, commands, signal)
  return all.filter(each => each.startsWith(last))
}

async function candidates(
  before: readonly string[],
  last: string,
  commands: readonly CommandShape[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const names = commands.map(({ name }) => name)
  if (before.length === 0) return [...new Set(names.map(name => name.split(' ')[0] ?? '')), 'help']
  if (before[0] === 'help') return before.length === 1 ? names.filter(name => !name.includes(' ')) : []
  const command =
    commands.find(({ name }) => name === before.slice(0, 2).join(' ')) ??
    commands.find(({ name }) => name === before[0])
  if (!command) return []
  const own = before.slice(command.name.split(' ').length)
  const option = optionBefore(own, command)
  if (option)
    return (
      option.choices ??
      (option.value === '<name>' && !command.name.includes('create') ? instanceNames(last, signal) : [])
    )
  if (last.startsWith('-')) return [...Object.keys(command.options).map(name => `--${name}`), '--help']
  const place = own.filter(
    (word, index) => !word.startsWith('-') && !optionBefore(own.slice(0, index), command),
  ).length
  const below = names.flatMap(name => (name.startsWith(`${command.name} `) ? [name.split(' ')[1] ?? ''] : []))
  const argument = command.takes[place]
  const known =
    (argument?.name === 'instance' && command.name !== 'create') || (command.name === 'logs' && place === 0)
      ? await instanceNames(last, signal)
      : argument?.name === 'shell'
        ? shells
        : []
  return [...(place === 0 ? below : []), ...known]
}

/** The option whose value comes next. */
function optionBefore(words: readonly string[], { options }: CommandShape) {
  const last = words.at(-1)
  const found = Object.entries(options).find(
    ([name, { short }]) => last === `--${name}` || (short !== undefined && last === `-${short}`),
  )
  return found?.[1].value === undefined ? undefined : found[1]
}

/** None, unless the control plane answers soon: a shell must not hang on a Tab. */
async function instanceNames(prefix: string, signal: AbortSignal): Promise<string[]> {
  try {
    const path = operations.listAdminInstances.split(' ')[1] ?? ''
    const { instances } = await askJson<{ instances: { subdomain: string }[] }>(
      whichControl(),
      `${path}?limit=200&search=${encodeURIComponent(prefix)}`,
      { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) },
    )
    return instances.map(({ subdomain }) => subdomain)
  } catch {
    return []
  }
}

/** Without the package bash-completion, which not every system has. COMP_WORDS splits at `=` and `:`, which is taken back. */
const scripts: Record<(typeof shells)[number], string> = {
  bash: `_longhouse() {
  local line="\${COMP_LINE:0:COMP_POINT}" words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local IFS=$'\\n'
  COMPREPLY=($("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null))
  local word="\${words[\${#words[@]}-1]}"
  local prefix="\${word%"\${word##*[:=]}"}" i
  [[ $COMP_WORDBREAKS == *[:=]* ]] && for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]="\${COMPREPLY[i]#"$prefix"}"; done
  return 0
}
complete -o default -F _longhouse longhouse
`,
  zsh: `#compdef longhouse
_longhouse() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=(\${found:#})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _longhouse longhouse
`,
}
