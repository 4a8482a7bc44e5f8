import { previewSlots } from '../runtime/cron/cron.ts'
import { timestamp } from '../src/clock.ts'
import { dateTime, relativeTime } from '../views/components/time-words.ts'
import { cronWords } from '../views/instance/jobs/cron-words.ts'
import { UsageError } from './command/arguments.ts'
import { type Command, commonOptions, jobArgument } from './command/call.ts'
import { table } from './command/output.ts'
import { readInstant } from './instant.ts'
import { jobOf, withManifest } from './local-manifest.ts'

export const next: Command = {
  name: 'next',
  takes: [jobArgument],
  needsRepo: true,
  summary: 'shows the next due times of a job, and how clock changes affect them',
  details: 'Times are computed exactly as in an instance, and shown in the job’s zone.',
  options: {
    at: {
      value: '<time>',
      words: 'start at this time: 2026-03-29, 2026-03-29T08:00 in the job’s zone, or 2026-03-29T06:00:00Z',
    },
    count: { value: '<number>', words: 'how many, from 1 to 500; 10 by default' },
    json: { words: 'prints JSON' },
    ...commonOptions,
  },
  run: async call => {
    const { args, output, now } = call
    const count = readCount(args.text('count') ?? '10')
    const job = await withManifest(call, async ({ jobs }) => jobOf(jobs, args.id))
    const at = args.text('at')
    // A time named in the options takes precedence.
    const after = at === undefined ? now : readInstant(at, job.timezone) - 1
    const slots = previewSlots(job, after, count)
    if (args.flag('json')) {
      output.json({ slots: slots.map(slot => ({ ...slot, at: timestamp(slot.at) })) })
      return 0
    }
    const words = cronWords(job.cron)
    output.say(
      `${output.look('bold', job.id)}  ${job.cron}  ${job.timezone}${words ? output.look('dim', `  ${words}`) : ''}`,
    )
    const rows = slots.map(slot => [
      dateTime(slot.at, job.timezone),
      relativeTime(slot.at, now),
      slot.note ?? '',
    ])
    for (const line of table(rows, null)) output.say(`  ${line}`)
    if (slots.length < count)
      output.say(slots.length === 0 ? '  no further due times' : '  and no further due times')
    return 0
  },
}

function readCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 500) return count
  throw new UsageError(`--count: "${text}" is not a whole number from 1 to 500`)
}
