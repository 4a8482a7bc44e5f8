import { resolve } from 'node:path'
import { z } from 'zod'
import { addressSet } from '../../src/http/address.ts'
import { setting } from '../../src/kernel/config.ts'
import { parseKey } from '../../src/storage/seal.ts'
import { longhouse } from '../../views/brand.tsx'
import { parseBrand } from './brand.ts'
import type { VolumeSettings } from './contract.ts'

export const volumeConfig = z
  .object({
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
    LONGHOUSE_TRUSTED_PROXIES: setting
      .list()
      .superRefine((entries, context) => {
        for (const fault of addressSet(entries).faults) context.addIssue({ code: 'custom', message: fault })
      })
      .prefault(''),
    LONGHOUSE_STOP_GRACE: setting.duration().prefault('30s'),
    LONGHOUSE_SECRET_KEY: z
      .string()
      .transform((text, context) => {
        const key = parseKey(text)
        if (key) return key
        context.addIssue({ code: 'custom', message: 'must be 32 random bytes in base64' })
        return z.NEVER
      })
      .optional(),
    LONGHOUSE_SECRET_KEYS_BEFORE: setting
      .list()
      .transform((texts, context) =>
        texts.map(text => {
          const key = parseKey(text)
          if (key) return key
          context.addIssue({
            code: 'custom',
            message: 'must be 32 random bytes in base64 each, with commas between',
          })
          return z.NEVER
        }),
      )
      .prefault(''),
    LONGHOUSE_BRAND: z.string().transform(parseBrand).optional(),
    LONGHOUSE_DISK_LIMIT: setting.size('1m', '102400g').optional(),
  })
  .transform(
    (env): VolumeSettings => ({
      instanceId: env.LONGHOUSE_INSTANCE_ID,
      publicUrl: env.LONGHOUSE_PUBLIC_URL ?? null,
      dataDir: env.LONGHOUSE_DATA_DIR,
      volumeId: env.LONGHOUSE_VOLUME_ID ?? null,
      host: env.LONGHOUSE_HOST,
      port: env.LONGHOUSE_PORT,
      trustedProxies: env.LONGHOUSE_TRUSTED_PROXIES,
      stopGraceMs: env.LONGHOUSE_STOP_GRACE,
      secretKey: env.LONGHOUSE_SECRET_KEY ?? null,
      secretKeysBefore: env.LONGHOUSE_SECRET_KEYS_BEFORE,
      brand: env.LONGHOUSE_BRAND ?? longhouse,
      diskBytes: env.LONGHOUSE_DISK_LIMIT ?? null,
    }),
  )
