import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { nextSlot, previewSlots, scheduleFaults } from './cron.ts'

/** What is wrong, in one text; '' when nothing is. */
const faults = (cron: string, timezone = 'UTC') =>
  scheduleFaults({ cron, timezone })
    .map(fault => `${fault.field} ${fault.message}`)
    .join('\n')

/** The first four due times of 2026, without their seconds. */
const times = (cron: string) =>
  previewSlots({ cron, timezone: 'UTC' }, Date.parse('2025-12-31T23:59:59Z'), 4).map(({ at }) =>
    new Date(at).toISOString().slice(5, 16),
  )

const meanings: [cron: string, ...slots: string[]][] = [
  // `?` in a day field is the same as `*`.
  ['0 0 12 ? * MON', '01-05T12:00', '01-12T12:00', '01-19T12:00', '01-26T12:00'],
  ['0 12 ? * MON', '01-05T12:00', '01-12T12:00', '01-19T12:00', '01-26T12:00'],
  ['0 12 13 * ?', '01-13T12:00', '02-13T12:00', '03-13T12:00', '04-13T12:00'],
  ['0 12 ? * ?', '01-01T12:00', '01-02T12:00', '01-03T12:00', '01-04T12:00'],
  // Both days restricted: either will do.
  ['0 0 13 * FRI', '01-02T00:00', '01-09T00:00', '01-13T00:00', '01-16T00:00'],
  ['0 0 1-31/2 * 3', '01-01T00:00', '01-03T00:00', '01-05T00:00', '01-07T00:00'],
  // One of them begins with a star: both must fit.
  ['0 0 */2 * 3', '01-07T00:00', '01-21T00:00', '02-11T00:00', '02-25T00:00'],
  ['0 0 0 */2 * WED', '01-07T00:00', '01-21T00:00', '02-11T00:00', '02-25T00:00'],
  ['0 0 1 * */1', '01-01T00:00', '02-01T00:00', '03-01T00:00', '04-01T00:00'],
  ['0 0 13 * */5', '02-13T00:00', '03-13T00:00', '09-13T00:00', '11-13T00:00'],
  ['0 0 */2 * */2', '01-01T00:00', '01-03T00:00', '01-11T00:00', '01-13T00:00'],
  ['0 0 *,13 * FRI', '01-02T00:00', '01-09T00:00', '01-16T00:00', '01-23T00:00'],
  // Not the star of a list that begins with a number.
  ['0 0 1,*/15 * FRI', '01-01T00:00', '01-02T00:00', '01-09T00:00', '01-16T00:00'],
  // What croner knows beyond Debian.
  ['0 0 L * *', '01-31T00:00', '02-28T00:00', '03-31T00:00', '04-30T00:00'],
  ['0 0 * * MON#2', '01-12T00:00', '02-09T00:00', '03-09T00:00', '04-13T00:00'],
  ['0 0 * * FRIL', '01-30T00:00', '02-27T00:00', '03-27T00:00', '04-24T00:00'],
  ['0 0 13 * +FRI', '02-13T00:00', '03-13T00:00', '11-13T00:00'],
  ['0 0 15W * *', '01-15T00:00', '02-16T00:00', '03-16T00:00', '04-15T00:00'],
  ['0 0 * * 5-7', '01-02T00:00', '01-03T00:00', '01-04T00:00', '01-09T00:00'],
  ['0 0 * * sat-sun', '01-03T00:00', '01-04T00:00', '01-10T00:00', '01-11T00:00'],
]

test('an expression means the same as in Debian’s cron; a ? matches any day', () => {
  for (const [cron, ...slots] of meanings) {
    assert.equal(faults(cron), '', cron)
    assert.deepEqual(times(cron).slice(0, slots.length), slots, cron)
  }
})

const refused: [cron: string, words: RegExp][] = [
  ['0 8 * * ? *', /has a year as its last field, as AWS writes it; .* write 0 8 \* \* \*$/],
  ['0 8 ? * MON-FRI *', /write 0 8 \* \* MON-FRI$/],
  ['0 8 ? * 2-6 *', /write 0 8 \* \* MON-FRI$/],
  ['0 8 1 1 ? 2030', /write 0 8 1 1 \*$/],
  ['0 8 * * 1 2030', /write 0 8 \* \* 1$/],
  ['0/15 8 * * ? *', /write \*\/15 8 \* \* \*$/],
  ['0 0 12 ? * 2#1 2030', /as Quartz writes it; .* write 0 0 12 \* \* MON#1$/],
  ['0 0 12 1/1 * ? *', /write 0 0 12 \* \* \*$/],
  ['0 0 12 * * ? *', /write 0 0 12 \* \* \*$/],
  ['? 8 * * *', /the minute "\?" has a \?, which can only stand alone for the day or the weekday; write \*/],
  ['0 ? * * *', /the hour "\?"/],
  ['0 8 * ? *', /the month "\?"/],
  ['? 0 8 * * *', /the second "\?"/],
  ['0 8 ?/2 * *', /the day "\?\/2"/],
  ['5* * * * *', /the minute "5\*" mixes \* with a number; write 5,/],
  ['0 8-10* * * *', /the hour "8-10\*" mixes \* with a number; write 8-10,/],
  ['*5 * * * *', /write 5,/],
  ['*-5 * * * *', /mixes \*/],
  ['5/15 * * * *', /the minute "5\/15" has a step and no range; write 5-59\/15$/],
  ['0/15 * * * *', /write \*\/15$/],
  ['0 8 * * 1/2', /write 1-6\/2$/],
  ['0 8 * * Monday', /the weekday "Monday" has a name in full; write MON$/],
  ['0 8 1 January *', /write JAN$/],
  ['H 8 * * *', /Jenkins' way to pick one; write a number from 0 to 59$/],
  ['H/15 * * * *', /Jenkins/],
  ['0 0 L-3 * *', /write L for the last day, or 25-28 /],
  ['0 8 * * *  # every morning', /has a comment behind the schedule; write 0 8 \* \* \*$/],
  ['0 8 * * 1 root /usr/bin/backup', /a user or a command behind the schedule; write 0 8 \* \* 1$/],
  ['0 8 * * 1 /usr/bin/backup --all', /write 0 8 \* \* 1$/],
  ['cron(0 10 * * ? *)', /as AWS writes it; .* write 0 10 \* \* \*$/],
  ['cron(0 10 * * *)', /wrapped as AWS writes it; write 0 10 \* \* \*$/],
  ['rate(5 minutes)', /an interval; write \*\/5 \* \* \* \*$/],
  ['rate(1 hour)', /write 0 \* \* \* \*$/],
  ['@every 5m', /for this one, write \*\/5 \* \* \* \*$/],
  ['@every 30s', /write \*\/30 \* \* \* \* \*$/],
  ['@every 6h', /write 0 \*\/6 \* \* \*$/],
  ['@every 90m', /use one of @hourly, .* or a step such as/],
  ['@reboot', /use one of @hourly/],
  ['CRON_TZ=Asia/Tokyo 0 8 * * *', /write cron: '0 8 \* \* \*' and timezone: 'Asia\/Tokyo'$/],
  ['TZ=UTC 0 8 * * *', /and timezone: 'UTC'$/],
  ['0 22-2 * * *', /the hour "22-2" runs backwards; write 22-23,0-2$/],
  ['0 8 * * FRI-MON', /write FRI-SAT,SUN-MON$/],
  ['0 8 * NOV-FEB *', /write NOV-DEC,JAN-FEB$/],
  ['1, 15 * * * *', /has a space in a list; write it without/],
  ['1,,5 * * * *', /has an empty part in its list/],
  ['*/0 * * * *', /the minute "\*\/0" has no step from 1 to 60/],
  ['*/90 * * * *', /the minute "\*\/90" has no step from 1 to 60/],
  ['*/2/3 * * * *', /has two steps/],
  ['1-5-7 * * * *', /is no range/],
  ['0 8 * * 8', /Invalid value for weekday: 8; it must be from 0 to 7/],
  ['60 * * * *', /Invalid value for minute: 60; it must be from 0 to 59/],
  ['0 8 0 * *', /Invalid value for day: 0; it must be from 1 to 31/],
  ['0 8 * FOO *', /"FOO" is no month; write a number from 1 to 12, or JAN to DEC$/],
  ['-5 * * * *', /"-5" is no minute; write a number from 0 to 59$/],
  ['1.5 * * * *', /"1.5" is no minute/],
]

test('syntax of other cron implementations is refused with the equivalent to write here', () => {
  for (const [cron, words] of refused) {
    assert.match(faults(cron), words, cron)
    const [, instead] = /write ([^a-z']+)$/.exec(faults(cron)) ?? []
    if (instead?.includes(' ')) assert.equal(faults(instead), '', `${instead} is offered for ${cron}`)
  }
})

test('for every zone that Intl or the system knows, slots can be computed or the zone is refused with a reason', () => {
  const abbreviations =
    'ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST EDT CEST MSK'
  const others = ['SystemV/AST4', 'US/Pacific-New', 'Canada/East-Saskatchewan', 'Etc/Unknown', 'UTC+1', 'Z']
  const files = globSync('**', { cwd: '/usr/share/zoneinfo' }).filter(name => /^[A-Z]/.test(name))
  const names = [...Intl.supportedValuesOf('timeZone'), ...abbreviations.split(' '), ...others, ...files]
  const refused = new Set<string>()
  for (const timezone of names) {
    const fault = faults('0 8 * * *', timezone)
    if (fault === '') assert.ok(nextSlot({ cron: '0 8 * * *', timezone }, 0), timezone)
    else refused.add(timezone)
  }
  for (const name of [...abbreviations.split(' '), ...others]) assert.ok(refused.has(name), name)
  for (const name of Intl.supportedValuesOf('timeZone')) assert.ok(!refused.has(name), name)
  for (const name of ['EST', 'MST', 'HST', 'GMT', 'Europe/Kiev', 'US/Pacific']) {
    assert.equal(faults('0 8 * * *', name), '', name)
  }
  for (const name of abbreviations.split(' ')) {
    const [, hint = ''] = /use the name of a place, such as (.+)$/.exec(faults('0 8 * * *', name)) ?? []
    for (const place of hint.split(/, | or /))
      assert.equal(faults('0 8 * * *', place), '', `${place} for ${name}`)
  }
})
