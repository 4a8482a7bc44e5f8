import type { JobContext } from 'longhouse/jobs'

/** Logs a summary of the day and returns it as the result of the run. */
export async function run(context: JobContext) {
  const lines = digest(context.run.slot ?? new Date())
  for (const line of lines) context.log(line)
  return { lines }
}

/** Builds the summary. It is a plain function, so you can test it without a schedule. */
export function digest(now: Date): string[] {
  const day = new Intl.DateTimeFormat('en', { dateStyle: 'full' }).format(now)
  const endOfYear = Date.UTC(now.getUTCFullYear() + 1, 0, 1)
  const daysLeft = Math.ceil((endOfYear - now.getTime()) / 86_400_000)
  return [
    `Good morning. It is ${day}.`,
    `${daysLeft} ${daysLeft === 1 ? 'day' : 'days'} left in ${now.getUTCFullYear()}.`,
    'Now edit jobs/daily-digest.ts to fetch your own data and send it to yourself.',
  ]
}
