import { resolve } from 'node:path'
import { z } from 'zod'
import { BootError } from '../src/boot-error.ts'
import { addressSet } from '../src/http/address.ts'
import { type Environment, parseConfig, setting } from '../src/kernel/config.ts'
import { settingNames, strangeSettings } from '../src/kernel/setting-names.ts'
import { mailSettings } from '../src/mail/settings.ts'
import { isPasswordHash, looksLikeHash } from '../src/password.ts'
import { parseKey } from '../src/seal.ts'

export interface Settings {
  instanceId: string
  /** The instance's own address as people see it; null when it was not said. */
  publicUrl: URL | null
  /** The volume, absolute. */
  dataDir: string
  /** Whose volume it must be, as that says itself; null when it need not say. */
  volumeId: string | null
  host: string
  port: number
  /** Plain, or an argon2id hash in PHC format. */
  password: string
  /** When it was given to the owner that it has, milliseconds since the epoch; null when it had no other. */
  handedOverAt: number | null
  /** What secrets are sealed with; null when the instance keeps a key of its own. */
  secretKey: Buffer | null
  trustedProxies: readonly string[]
  /** For jobs that name no zone of their own. */
  timezone: string
  /** From being asked to stop until whoever asked ends it: a container's own period. */
  stopGraceMs: number
  /** How many runs of each job are kept, and for how long. */
  keep: { runsPerJob: number; ageMs: number }
  /** Who may sign people in, beside the password; null is nobody. */
  sso: SsoSettings | null
  /** The mail server for notices, until somebody names another one on the settings page; '' is none. */
  mail: { smtpUrl: string; smtpFrom: string }
}

export interface SsoSettings {
  /** The control plane's address. */
  issuer: string
  /** The public keys that it signed with when this instance was made; it publishes those that came after. */
  keys: { keys: { kid: string; kty: string }[] }
}

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) })

export const shortestPassword = 8

const passwordRule = `must be a password of at least ${shortestPassword} characters, or its argon2id hash in PHC format ($argon2id$v=19$m=…,t=…,p=…$…)`

const fields = z.object({
  LONGHOUSE_INSTANCE_ID: z
    .string('must be set: the id of the instance that this volume belongs to, such as inst_01k3…')
    .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be letters, digits, _ and - only, at most 80'),
  LONGHOUSE_PUBLIC_URL: z
    .string()
    .refine(
      text => /^https?:\/\/[^/?#]+\/?$/.test(text) && URL.canParse(text),
      'must be a scheme and host such as https://acme.example.com, without a path',
    )
    .transform(text => new URL(text))
    .optional(),
  LONGHOUSE_DATA_DIR: z
    .string()
    .default('/data')
    .transform(path => resolve(path)),
  LONGHOUSE_VOLUME_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be the id that the volume carries, such as inst_01k3…')
    .optional(),
  LONGHOUSE_HOST: z.string().default('127.0.0.1'),
  LONGHOUSE_PORT: setting.port().prefault('8080'),
  LONGHOUSE_PASSWORD: z.string(passwordRule).superRefine((text, context) => {
    if (looksLikeHash(text) ? isPasswordHash(text) : text.length >= shortestPassword) return
    context.addIssue({ code: 'custom', message: passwordRule })
  }),
  LONGHOUSE_HANDED_OVER_AT: z.iso
    .datetime('must be a time such as 2026-01-31T08:00:00.000Z')
    .transform(text => Date.parse(text))
    .optional(),
  LONGHOUSE_SECRET_KEY: z
    .string()
    .transform((text, context) => {
      const key = parseKey(text)
      if (key) return key
      context.addIssue({ code: 'custom', message: 'must be 32 random bytes in base64' })
      return z.NEVER
    })
    .optional(),
  LONGHOUSE_TRUSTED_PROXIES: setting
    .list()
    .superRefine((entries, context) => {
      for (const fault of addressSet(entries).faults) context.addIssue({ code: 'custom', message: fault })
    })
    .prefault(''),
  SMTP_URL: mailSettings.SMTP_URL.default(''),
  SMTP_FROM: mailSettings.SMTP_FROM.default(''),
  LONGHOUSE_TIMEZONE: setting.timezone().default('UTC'),
  LONGHOUSE_SSO_ISSUER: z
    .string()
    .refine(
      text => /^https?:\/\/[^/?#]+$/.test(text) && URL.canParse(text),
      'must be the address of the control plane such as https://control.example.com, without a path',
    )
    .optional(),
  LONGHOUSE_SSO_KEYS: z.string().transform(parseKeys).optional(),
  LONGHOUSE_STOP_GRACE: setting.duration().prefault('30s'),
  LONGHOUSE_KEEP_RUNS: setting.integer(1, 100_000).prefault('500'),
  LONGHOUSE_KEEP_FOR: setting.duration('1h', '3650d').prefault('90d'),
})

/** A JWK set, as the control plane publishes it. */
function parseKeys(text: string, context: z.RefinementCtx): SsoSettings['keys'] {
  try {
    return keySet.parse(JSON.parse(text))
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a JSON Web Key Set such as {"keys": […]}' })
    return z.NEVER
  }
}

/**
 * Variables that look like settings and are none, in words. They keep no instance from starting: an older image may be
 * given settings that only a newer one knows.
 */
export function strangeVariables(env: Environment): string[] {
  const { misspelt, unknown } = strangeSettings(env, [...settingNames(fields), 'LOG_LEVEL', 'NODE_ENV'])
  return [...misspelt, ...unknown]
}

/**
 * The instance's settings, or a BootError with every fault. Whoever starts it by hand need not name it; a control
 * plane must (`spawned`, or a container), for it checks who answers.
 */
export function readSettings(env: Environment, { spawned }: { spawned: boolean }): Settings {
  const byHand = !spawned && env.NODE_ENV !== 'production'
  const named = byHand && !env.LONGHOUSE_INSTANCE_ID ? { ...env, LONGHOUSE_INSTANCE_ID: 'inst_local' } : env
  const { config, faults } = parseConfig(fields, named)
  if (!config) throw new BootError(faults)
  return {
    instanceId: config.LONGHOUSE_INSTANCE_ID,
    publicUrl: config.LONGHOUSE_PUBLIC_URL ?? null,
    dataDir: config.LONGHOUSE_DATA_DIR,
    volumeId: config.LONGHOUSE_VOLUME_ID ?? null,
    host: config.LONGHOUSE_HOST,
    port: config.LONGHOUSE_PORT,
    password: config.LONGHOUSE_PASSWORD,
    handedOverAt: config.LONGHOUSE_HANDED_OVER_AT ?? null,
    secretKey: config.LONGHOUSE_SECRET_KEY ?? null,
    trustedProxies: config.LONGHOUSE_TRUSTED_PROXIES,
    timezone: config.LONGHOUSE_TIMEZONE,
    stopGraceMs: config.LONGHOUSE_STOP_GRACE,
    keep: { runsPerJob: config.LONGHOUSE_KEEP_RUNS, ageMs: config.LONGHOUSE_KEEP_FOR },
    sso: config.LONGHOUSE_SSO_ISSUER
      ? { issuer: config.LONGHOUSE_SSO_ISSUER, keys: config.LONGHOUSE_SSO_KEYS ?? { keys: [] } }
      : null,
    mail: { smtpUrl: config.SMTP_URL, smtpFrom: config.SMTP_FROM },
  }
}
