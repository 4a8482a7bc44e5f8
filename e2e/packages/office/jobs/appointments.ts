import fs from 'node:fs/promises'
import path from 'node:path'
import { addWeeks, format, isWithinInterval, startOfWeek } from 'date-fns'
import { de } from 'date-fns/locale'
import ejs from 'ejs'
import ICAL from 'ical.js'
import { marked } from 'marked'

const here = path.join(import.meta.dirname, '..')

interface Appointment {
  at: Date
  what: string
  notes: string
}

/** All times of an event, the repeated ones as well, up to a day. */
function* timesOf(event: ICAL.Event, until: Date): Generator<Appointment> {
  const { summary: what, description: notes } = event
  const times = event.iterator()
  for (let next = times.next(); next && next.toJSDate() < until; next = times.next()) {
    yield { at: next.toJSDate(), what, notes }
    if (!event.isRecurring()) return
  }
}

export async function appointments() {
  const calendar = new ICAL.Component(ICAL.parse(await fs.readFile('inbox/team.ics', 'utf8')))
  for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone)
  const start = startOfWeek(new Date('2026-03-30T12:00:00Z'), { weekStartsOn: 1 })
  const end = addWeeks(start, 1)
  const events = calendar
    .getAllSubcomponents('vevent')
    .flatMap(each => [...timesOf(new ICAL.Event(each), end)])
    .filter(({ at }) => isWithinInterval(at, { start, end }))
    .sort((a, b) => a.at.getTime() - b.at.getTime())
  const html = await ejs.renderFile(path.join(here, 'templates/week.ejs'), {
    title: `Woche vom ${format(start, 'd. MMMM', { locale: de })}`,
    events: await Promise.all(
      events.map(async ({ at, what, notes }) => ({
        when: at.toISOString(),
        what,
        notes: await marked.parse(notes),
      })),
    ),
  })
  const file = 'data/week.html'
  await fs.writeFile(file, html)
  return { file, lines: html.split('\n').filter(line => line.trim()) }
}
