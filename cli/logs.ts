import { UsageError } from './command/arguments.ts'
import type { Call, Command } from './command/call.ts'
import { keptToken } from './command/credentials.ts'
import { CommandError } from './command/jobs-folder.ts'
import { isInstanceToken, placeOfEnvironment } from './command/place.ts'
import { runLogs } from './instance/logs.ts'
import { keptInstances, namedIn } from './instance/which-instance.ts'
import { keptControls, ownControl } from './operator/control/which-control.ts'
import { containerLog } from './operator/log.ts'

/** For customers the log of a run, for operators that of an instance. */
export const logs: Command = {
  ...runLogs,
  takes: [
    { name: 'id', words: 'the id of a job or a run, or the name of an instance', example: 'daily-digest' },
  ],
  summary: 'shows the log of a run, or of the last run of a job; for operators, the log of an instance',
  details:
    'Customers: with -f, follows a run until it ends; or the runs of a job, the next ones included, until Ctrl-C. The ' +
    'exit code is 1 if the run that was shown did not succeed. Operators: what the program of the instance wrote, each ' +
    'line with its time and stream; with -f, until it ends. The token decides which; a jobs ' +
    'repo that names its instance means that one.',
  options: { ...containerLog.options, ...runLogs.options },
  run: async call => {
    const chosen = isOperator(call) ? containerLog : runLogs
    const strange = Object.keys(logs.options).find(name => call.args.flag(name) && !(name in chosen.options))
    if (strange !== undefined) {
      const whose = chosen === runLogs ? 'an instance, for operators' : 'a run'
      throw new UsageError(`--${strange} belongs to the log of ${whose}`)
    }
    return chosen.run(call)
  },
}

/** Throws a CommandError where tokens for both are kept, and nothing says which is meant. */
function isOperator({ args, dir }: Call, env = process.env): boolean {
  if (args.id.startsWith('run_')) return false
  const named = placeOfEnvironment(env, keptToken)
  if (named) return !isInstanceToken(named.token)
  if (ownControl(env)) return true
  if (namedIn(dir) !== null) return false
  const [instances, controls] = [keptInstances(), keptControls()]
  if (instances.length > 0 && controls.length > 0) {
    const all = [...instances, ...controls].map(({ origin }) => origin)
    throw new CommandError(
      `it could be the log of a job or of an instance; set LONGHOUSE_URL to one of ${all.join(', ')}`,
    )
  }
  return controls.length > 0
}
