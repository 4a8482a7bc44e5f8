import type { JobSpec } from '../runtime/manifest/manifest.ts'
import { durationWords } from '../views/components/time-words.ts'
import { type Call, type Command, commonOptions, jobArgument } from './command/call.ts'
import { CommandError } from './command/jobs-folder.ts'
import { framesOf, oneLine } from './command/output.ts'
import { jobOf, withManifest } from './local-manifest.ts'
import { type Outcome, performRun, runLimits } from './local-run.ts'
import { readParams } from './params.ts'
import { exposureOf, localSecrets } from './secrets.ts'

export const run: Command = {
  name: 'run',
  takes: [jobArgument],
  needsRepo: true,
  summary: 'runs a job on this machine',
  details:
    'Runs the job in a process of its own, with the environment, limits and context of an instance. Its secrets come from ' +
    'the environment, else from the file .env of the jobs repo. The exit code is 0 when the run succeeds and 1 when it ' +
    'does not. Ctrl-C asks the run to stop, and some seconds later kills it with everything it started; a second Ctrl-C ' +
    'does that at once.',
  options: {
    params: { value: '<json>', words: 'the parameters: a JSON object, or @file to read one' },
    param: {
      value: '<name=value>',
      many: true,
      words: 'one parameter, as JSON or else as text; may be repeated',
    },
    json: { words: 'prints the outcome as JSON, and the job’s output on standard error' },
    ...commonOptions,
  },
  run: async call => {
    const { args, workingDir, output, dir } = call
    return withManifest(call, async ({ build, jobs }) => {
      const job = jobOf(jobs, args.id)
      const given = { params: args.text('params'), param: args.texts('param') }
      const params = readParams(given, job.params, workingDir)
      const secrets = await secretsOf(call, job)
      output.note(output.noteLook('dim', `running ${job.id}, for at most ${durationWords(job.timeout)}`))
      const asked = `stopping the run; it is killed in ${runLimits.graceMs / 1000} seconds, or at once with Ctrl-C`
      const tellAsked = () => output.note(output.noteLook('dim', asked))
      call.signal.addEventListener('abort', tellAsked)
      const env: Record<string, string> = output.colours ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
      const outcome = await performRun(
        { build, dir, job, params, secrets, env },
        {
          signal: call.signal,
          atOnce: call.atOnce,
          write: (stream, text) => output.pass(args.flag('json') ? 'err' : stream, text),
        },
      )
      call.signal.removeEventListener('abort', tellAsked)
      return tell(call, job, outcome)
    })
  },
}

/** As in an instance, a run does not start without all of its secrets. */
async function secretsOf({ dir, output }: Call, job: JobSpec): Promise<Record<string, string>> {
  if (job.secrets.length === 0) return {}
  const { values, missing } = localSecrets(job.secrets, dir)
  if (missing.length > 0) {
    const [what, them] = missing.length === 1 ? ['the secret', 'it'] : ['the secrets', 'them']
    throw new CommandError(
      `${job.id} was not started: ${what} ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set; set ${them} in the environment or in .env`,
    )
  }
  const exposure = await exposureOf(dir)
  if (exposure) output.note(`${output.noteLook('yellow', 'warning')} ${exposure}`)
  return values
}

/** Prints how it ended, and resolves with the exit code. */
function tell({ args, output }: Call, job: JobSpec, { status, result, error, durationMs }: Outcome): number {
  if (args.flag('json')) output.json({ job_id: job.id, status, result, error, duration_ms: durationMs })
  else if (result !== null) output.json(result)
  const words = `${job.id} ${status.replace('_', ' ')} after ${durationWords(durationMs)}`
  if (status === 'succeeded') {
    output.note(`${output.noteLook('green', '✓')} ${words}`)
    return 0
  }
  output.note(`${output.noteLook('red', '✗')} ${words}: ${oneLine(error?.message ?? '')}`)
  for (const frame of framesOf(error?.stack)) output.note(output.noteLook('dim', frame))
  return status === 'cancelled' ? 130 : 1
}
