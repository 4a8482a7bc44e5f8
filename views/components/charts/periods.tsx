import type { UsagePeriod } from '../../../plugins/provisioner/contract.ts'

const periods: Record<UsagePeriod, { link: string; words: string }> = {
  hour: { link: 'Hour', words: 'the last hour' },
  day: { link: 'Day', words: 'the last 24 hours' },
  week: { link: 'Week', words: 'the last 7 days' },
  month: { link: 'Month', words: 'the last 30 days' },
  year: { link: 'Year', words: 'the last 365 days' },
}

/** A period in words: `the last 24 hours`. */
export function periodInWords(period: UsagePeriod): string {
  return periods[period].words
}

/** Links to the same charts over other periods. `href` is the address of a page without its query; `anchor` an id on it. */
export function Periods({ href, anchor, period }: { href: string; anchor: string; period: UsagePeriod }) {
  return (
    <nav class="periods" aria-label="Period">
      {Object.entries(periods).map(([name, { link }]) => (
        <a href={`${href}?period=${name}#${anchor}`} aria-current={name === period ? 'true' : undefined}>
          {link}
        </a>
      ))}
    </nav>
  )
}
