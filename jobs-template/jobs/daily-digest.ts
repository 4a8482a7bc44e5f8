import type { JobContext } from 'longhouse/jobs'

/** What `daily-digest` does: writes a summary of the day, and returns it as the run's result. */
export async function run(context: JobContext) {
  const lines = digest(context.run.slot ?? new Date())
  for (const line of lines) context.log(line)
  return { lines }
}

/** The summary itself: a plain function, so that a test can ask it without any schedule. */
export function digest(now: Date): string[] {
  const day = new Intl.DateTimeFormat('en', { dateStyle: 'full' }).format(now)
  const endOfYear = Date.UTC(now.getUTCFullYear() + 1, 0, 1)
  const daysLeft = Math.ceil((endOfYear - now.getTime()) / 86_400_000)
  return [
    `Good morning. It is ${day}.`,
    `${daysLeft} ${daysLeft === 1 ? 'day is' : 'days are'} left of ${now.getUTCFullYear()}.`,
    'Next: fetch what matters to you here, and send it where you read it.',
  ]
}
