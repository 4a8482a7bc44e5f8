import { accessSync, constants } from 'node:fs'
import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { certificateFiles } from './files.ts'

export interface AcmeSettings {
  directoryUrl: string
  email: string | undefined
  /** Ties the account to one that the authority knows, as some demand. */
  externalAccount: { kid: string; hmacKey: string } | null
  /** The operator's program that sets records in the DNS; without it, there are no wildcards. */
  dnsHook: string | undefined
  /** How long a record takes to be seen everywhere. */
  dnsWaitMs: number
}

const directories: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
  zerossl: 'https://acme.zerossl.com/v2/DV90',
  google: 'https://dv.acme-v02.api.pki.goog/directory',
}

const settings = z.object({
  TLS_MODE: z.string().optional(),
  TLS_CERTIFICATE_FILES: z.string().prefault(''),
  TLS_KEY_FILES: z.string().prefault(''),
  ACME_DIRECTORY: z
    .string()
    .default('letsencrypt')
    .transform(name => directories[name] ?? name)
    .refine(
      url => /^https:\/\//.test(url) && URL.canParse(url),
      `must be ${Object.keys(directories).join(', ')} or the https:// URL of a directory`,
    ),
  ACME_EMAIL: z.email('must be an email address').optional(),
  ACME_EAB_KEY_ID: z.string().optional(),
  ACME_EAB_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]+=*$/, 'must be the key as the authority shows it, in base64url')
    .optional(),
  ACME_DNS_HOOK: z
    .string()
    .refine(isExecutable, 'must be the absolute path of a program that can be run')
    .optional(),
  ACME_DNS_WAIT: setting.duration('0ms', '1h').prefault('30s'),
})

/** The operator's certificates, and how others are ordered; `acme` is null when they are not. */
export const tlsSettings = settings.transform((env, context) => {
  const files = certificateFiles(env, context)
  const { ACME_EAB_KEY_ID: kid, ACME_EAB_KEY: hmacKey } = env
  const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (kid !== undefined && hmacKey === undefined)
    fault('ACME_EAB_KEY', 'must be set too, as ACME_EAB_KEY_ID is')
  if (kid === undefined && hmacKey !== undefined)
    fault('ACME_EAB_KEY_ID', 'must be set too, as ACME_EAB_KEY is')
  if (env.TLS_MODE !== 'acme') return { files, acme: null }
  const acme: AcmeSettings = {
    directoryUrl: env.ACME_DIRECTORY,
    email: env.ACME_EMAIL,
    externalAccount: kid !== undefined && hmacKey !== undefined ? { kid, hmacKey } : null,
    dnsHook: env.ACME_DNS_HOOK,
    dnsWaitMs: env.ACME_DNS_WAIT,
  }
  return { files, acme }
})

function isExecutable(path: string): boolean {
  if (!path.startsWith('/')) return false
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
