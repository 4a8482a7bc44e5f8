import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'

const address = z
  .string()
  .refine(
    text => /^https?:\/\//.test(text) && URL.canParse(text),
    'must be an address such as https://example.com/alerts',
  )

export const alertsConfig = z.object({
  ALERT_EMAIL: setting
    .list()
    .refine(
      list => list.every(each => /^[^\s@]+@[^\s@]+$/.test(each)),
      'must be email addresses separated by commas',
    )
    .prefault(''),
  ALERT_WEBHOOK_URL: address.optional(),
  ALERT_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  ALERT_SLACK_URL: address.optional(),
  ALERT_NTFY_URL: address
    .refine(
      text => /^\/[^/]+$/.test(URL.parse(text)?.pathname ?? ''),
      'must be a server and a topic, such as https://ntfy.sh/my-alerts',
    )
    .optional(),
  ALERT_AFTER: setting.duration('0s', '1h').prefault('1m'),
  ALERT_REPEAT: setting.duration('10m', '24d').prefault('24h'),
  HEARTBEAT_URL: address.optional(),
  HEARTBEAT_INTERVAL: setting.duration('10s', '24h').prefault('5m'),
})
export type AlertsConfig = z.output<typeof alertsConfig>
