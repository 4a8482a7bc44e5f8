import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cronWords } from './cron-words.ts'

test('common expressions are described in words', () => {
  const told: Record<string, string> = {
    '* * * * *': 'Every minute',
    '* * * * * *': 'Every second',
    '*/10 * * * * *': 'Every 10 seconds',
    '*/5 * * * *': 'Every 5 minutes',
    '0 * * * *': 'Every hour',
    '30 * * * *': 'Every hour at :30',
    '0 */6 * * *': 'Every 6 hours',
    '0 8 * * *': 'At 08:00 every day',
    '0 8,20 * * *': 'At 08:00 and 20:00 every day',
    '15 30 7 * * *': 'At 07:30:15 every day',
    '0 8 * * 1-5': 'At 08:00 on weekdays',
    '0 8 * * mon,FRI': 'At 08:00 on Monday and Friday',
    '0 8 * * 7': 'At 08:00 on Sunday',
    '0 6 1 * *': 'At 06:00 on day 1 of the month',
    '0 6 1 1,7 *': 'At 06:00 on day 1 of the month in January and July',
    '0 6 * 12 *': 'At 06:00 in December',
    '0 9-17 * * 1-5': 'Every hour from 09:00 to 17:59 on weekdays',
    '*/15 9-17 * * *': 'Every 15 minutes from 09:00 to 17:59',
    '@daily': 'At 00:00 every day',
    '@hourly': 'Every hour',
    '@weekly': 'At 00:00 on Sunday',
  }
  for (const [cron, words] of Object.entries(told)) assert.equal(cronWords(cron), words, cron)
})

test('an expression that words could misstate is shown unchanged', () => {
  const special = [
    '*/7 * * * *',
    '0 8 1 * 1',
    '0 8 * * 1#2',
    '5-50/5 * * * *',
    '0 8 LW * *',
    'nonsense',
    '0 25 * * *',
  ]
  for (const cron of special) assert.equal(cronWords(cron), null, cron)
})
