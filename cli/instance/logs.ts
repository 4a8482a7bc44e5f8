import { setTimeout as pause } from 'node:timers/promises'
import { durationWords } from '../../views/components/time-words.ts'
import { askJson, askText } from '../command/api.ts'
import { type Call, type Command, instanceOptions } from '../command/call.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { framesOf, oneLine } from '../command/output.ts'
import type { Place } from '../command/place.ts'
import { followLog, type RunJson } from './log-stream.ts'
import { whichInstance } from './which-instance.ts'

/** The log of runs. `longhouse logs` of an operator is another command. */
export const runLogs: Command = {
  name: 'logs',
  takes: [{ name: 'id', words: 'the id of a job or a run', example: 'daily-digest' }],
  needsRepo: false,
  summary: 'shows the log of a run in the instance, or of the last run of a job',
  details:
    'With -f, follows a run until it ends; or the runs of a job, the next ones included, until Ctrl-C. The exit code is ' +
    '1 if the run that was shown did not succeed.',
  options: {
    follow: { short: 'f', words: 'follows the log as it is written' },
    timestamps: { words: 'begins each line with its time and stream' },
    ...instanceOptions,
  },
  run: async call => {
    const instance = whichInstance(call.dir)
    const { id } = call.args
    if (id.startsWith('run_')) {
      const run = await askJson<RunJson>(instance, `/api/runs/${encodeURIComponent(id)}`, call)
      return show(call, instance, run)
    }
    if (call.args.flag('follow')) return followJob(call, instance, id)
    const [last] = await runsOf(call, instance, id)
    if (!last)
      throw new CommandError(`${id} has not run yet; wait for its next run with: longhouse logs -f ${id}`)
    return show(call, instance, last)
  },
}

/** How often a job is asked for runs that were not there before. */
const lookEveryMs = 2000

/** Resolves with the exit code of the one run; rejects when it is interrupted. */
async function followJob(call: Call, instance: Place, id: string): Promise<number> {
  const { output, signal } = call
  let seen: Set<string> | null = null
  for (;;) {
    const runs = await runsOf(call, instance, id)
    const before: Set<string> = seen ?? new Set(runs.filter(isEnded).map(run => run.id))
    const fresh = runs.filter(run => !before.has(run.id)).reverse()
    if (seen === null && fresh.length === 0)
      output.note(output.noteLook('dim', `waiting for the next run of ${id}`))
    for (const run of fresh) await show(call, instance, run)
    seen = new Set([...runs, ...fresh].map(run => run.id))
    await pause(lookEveryMs, undefined, { signal })
  }
}

async function runsOf(call: Call, instance: Place, id: string): Promise<RunJson[]> {
  const path = `/api/jobs/${encodeURIComponent(id)}/runs?limit=${call.args.flag('follow') ? 50 : 1}`
  return (await askJson<{ runs: RunJson[] }>(instance, path, call)).runs
}

async function show(call: Call, instance: Place, run: RunJson): Promise<number> {
  const { args, output, signal } = call
  const due = run.slot === null ? run.trigger : `due ${run.slot}`
  output.note(output.noteLook('dim', `${run.id} of ${run.job_id}, ${due}`))
  const path = `/api/runs/${run.id}/log${args.flag('timestamps') ? '?timestamps=true' : ''}`
  let last = '\n'
  const write = (text: string) => {
    output.pass('out', text)
    last = text.at(-1) ?? last
  }
  const end = args.flag('follow') ? await followLog(instance, path, { signal, write }) : run
  if (!args.flag('follow')) write(await askText(instance, path, { signal }))
  if (last !== '\n') output.pass('out', '\n')
  return tell(call, end)
}

function tell({ output }: Call, { id, status, duration_ms: durationMs, error }: RunJson): number {
  const took = durationMs === null ? '' : ` after ${durationWords(durationMs)}`
  const words = `${id} ${status.replace('_', ' ')}${took}`
  if (status === 'succeeded') output.note(`${output.noteLook('green', '✓')} ${words}`)
  else if (error) output.note(`${output.noteLook('red', '✗')} ${words}: ${oneLine(error.message)}`)
  else output.note(words)
  for (const frame of framesOf(error?.stack)) output.note(output.noteLook('dim', frame))
  return ['failed', 'timed_out', 'cancelled', 'interrupted'].includes(status) ? 1 : 0
}

const isEnded = (run: RunJson) => run.finished_at !== null
