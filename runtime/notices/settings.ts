import { randomBytes } from 'node:crypto'
import type { Seal } from '../../src/storage/seal.ts'
import type { NoticesDb } from './notices-db.ts'
import { settings as table } from './schema.ts'

/** '' for an unset field. */
export interface NoticeSettings {
  /** Addresses separated by commas. */
  emailTo: string
  /** `smtp://` or `smtps://` with user and password. */
  smtpUrl: string
  smtpFrom: string
  webhookUrl: string
  /** Signs webhook messages. */
  webhookSecret: string
  heartbeatUrl: string
  /** Webhook addresses of Slack, or a compatible server, and Discord. */
  slackUrl: string
  discordUrl: string
  /** Notify after this many failed runs of a job in a row. */
  failuresInARow: number
}

const sealedFields = [
  'smtpUrl',
  'webhookUrl',
  'webhookSecret',
  'heartbeatUrl',
  'slackUrl',
  'discordUrl',
] as const

export interface MailDefaults {
  smtpUrl: string
  smtpFrom: string
}

/** The stored settings, with the mail server of the environment as default. */
export function settingsStore(options: { db: NoticesDb; seal: Seal; mail: MailDefaults }) {
  const { db, seal, mail } = options
  const purpose = (field: string) => `notices ${field}`

  const chosen = (): NoticeSettings => {
    const row = db.select().from(table).get()
    if (!row) return { ...nothing }
    const { id: _, ...kept } = row
    for (const field of sealedFields) {
      // Sealed with a lost key: it has to be set again.
      kept[field] = kept[field] === '' ? '' : (seal.open(kept[field], purpose(field)) ?? '')
    }
    return kept
  }

  return {
    chosen,

    /** The settings of the environment. */
    mail,

    /** The effective settings. */
    current: (): NoticeSettings => {
      const own = chosen()
      return own.smtpUrl ? own : { ...own, smtpUrl: mail.smtpUrl, smtpFrom: own.smtpFrom || mail.smtpFrom }
    },

    /** Saves the given fields and keeps the others. A webhook without a secret gets one. */
    save: (change: Partial<NoticeSettings>): NoticeSettings => {
      const next = { ...chosen(), ...change }
      if (next.webhookUrl && !next.webhookSecret)
        next.webhookSecret = `whsec_${randomBytes(24).toString('base64url')}`
      if (!next.webhookUrl) next.webhookSecret = ''
      const row = { id: 1, ...next }
      for (const field of sealedFields) row[field] = next[field] && seal.seal(next[field], purpose(field))
      db.insert(table).values(row).onConflictDoUpdate({ target: table.id, set: row }).run()
      return next
    },
  }
}

export type SettingsStore = ReturnType<typeof settingsStore>

const nothing: NoticeSettings = {
  emailTo: '',
  smtpUrl: '',
  smtpFrom: '',
  webhookUrl: '',
  webhookSecret: '',
  heartbeatUrl: '',
  slackUrl: '',
  discordUrl: '',
  failuresInARow: 1,
}
