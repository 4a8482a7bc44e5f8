import { nextSlot } from '../runtime/cron/cron.ts'
import type { JobSpec } from '../runtime/manifest/manifest.ts'
import { timestamp } from '../src/clock.ts'
import { relativeTime, shortDateTime, zoneName } from '../views/components/time-words.ts'
import { type Command, commonOptions } from './command/call.ts'
import { oneLine, table } from './command/output.ts'
import { withManifest } from './local-manifest.ts'

export const list: Command = {
  name: 'list',
  takes: [],
  needsRepo: true,
  summary: 'lists the jobs and their next runs',
  details: 'Next runs are shown in the job’s zone.',
  options: { json: { words: 'prints JSON' }, ...commonOptions },
  run: async call => {
    const { args, output, now } = call
    const jobs = await withManifest(call, async manifest => [...manifest.jobs.values()])
    if (args.flag('json')) {
      output.json({ jobs: jobs.map(job => wireJob(job, now)) })
      return 0
    }
    if (jobs.length === 0) output.note('The manifest registers no jobs.')
    const [head = '', ...lines] = table([headings, ...jobs.map(job => row(job, now))], output.columns)
    if (jobs.length > 0) output.say(output.look('bold', head))
    for (const line of lines) output.say(line)
    return 0
  },
}

const headings = ['ID', 'CRON', 'ZONE', 'NEXT RUN', '', 'DESCRIPTION']

function row(job: JobSpec, now: number): string[] {
  const { id, cron, timezone, description } = job
  const next = nextSlot(job, now)?.at ?? null
  const [words, time] =
    next === null
      ? ['never again', '']
      : [relativeTime(next, now), `${shortDateTime(next, now, timezone)} ${zoneName(next, timezone)}`]
  return [id, cron, timezone, words, time, oneLine(description)]
}

function wireJob(job: JobSpec, now: number) {
  const { id, cron, timezone, description, source } = job
  const next = nextSlot(job, now)
  return { id, cron, timezone, description, source, next_run_at: next && timestamp(next.at) }
}
