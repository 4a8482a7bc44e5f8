import { resolve } from 'node:path'
import { z } from 'zod'
import { addressSet } from '../../src/http/address.ts'
import { defaultBodyRate } from '../../src/http/listener/stall.ts'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import { logLevels } from '../../src/log.ts'
import { brandOf, brandSettings } from './brand/settings.ts'
import { routerModes, type Site, tlsModes } from './contract.ts'
import { proxyPresets, trustedProxies } from './trusted-proxies.ts'

const domainName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

export const siteConfig = z
  .object({
    LONGHOUSE_DOMAIN: z
      .string()
      .regex(domainName, 'must be a lowercase host name such as example.com, without scheme or port')
      .default('localhost'),
    LONGHOUSE_HOST: z.string().default('127.0.0.1'),
    LONGHOUSE_PORT: setting.port().prefault('8080'),
    LONGHOUSE_PUBLIC_URL: z
      .string()
      .refine(isOrigin, 'must be a scheme and host such as https://control.example.com, without a path')
      .transform(text => new URL(text))
      .optional(),
    LONGHOUSE_DATA_ROOT: z
      .string()
      .default('./data')
      .transform(path => resolve(path)),
    LONGHOUSE_TRUSTED_PROXIES: setting
      .list()
      .transform((entries, context) => {
        const { ranges, faults } = trustedProxies(entries)
        for (const message of faults) context.addIssue({ code: 'custom', message })
        return ranges
      })
      .prefault(''),
    LONGHOUSE_PROXY_PROTOCOL: setting
      .list()
      .superRefine((entries, context) => {
        for (const fault of addressSet(entries).faults) context.addIssue({ code: 'custom', message: fault })
      })
      .prefault(''),
    LONGHOUSE_HSTS: setting.duration('0s', '730d').prefault('365d'),
    TLS_MODE: z.enum(tlsModes, 'must be off, files or acme').default('off'),
    TLS_PORT: setting.port().prefault('443'),
    ROUTER_MODE: z.enum(routerModes, 'must be direct, behind or labels').default('direct'),
    ROUTER_BODY_RATE: setting.integer(0, 1_000_000).prefault(String(defaultBodyRate)),
    ROUTER_DRAIN_GRACE: setting.duration('0ms', '1h').prefault('5s'),
    ...brandSettings,
    NODE_ENV: z.string().optional(),
    LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).optional(),
  })
  .superRefine((env, context) => {
    const host = env.LONGHOUSE_PUBLIC_URL?.hostname
    if (host === undefined || host === env.LONGHOUSE_DOMAIN || host === `control.${env.LONGHOUSE_DOMAIN}`)
      return
    context.addIssue({
      code: 'custom',
      path: ['LONGHOUSE_PUBLIC_URL'],
      message: `must name control.${env.LONGHOUSE_DOMAIN}, as LONGHOUSE_DOMAIN says`,
    })
  })
  .superRefine((env, context) => {
    if (env.TLS_MODE === 'off') return
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (env.ROUTER_MODE !== 'direct') {
      fault('TLS_MODE', `needs ROUTER_MODE=direct; with ${env.ROUTER_MODE}, the proxy in front serves HTTPS`)
    }
    if (env.LONGHOUSE_PUBLIC_URL?.protocol === 'http:') {
      fault(
        'LONGHOUSE_PUBLIC_URL',
        'must begin with https://, because TLS_MODE serves HTTPS; or leave it out',
      )
    }
    if (env.TLS_PORT !== 0 && env.TLS_PORT === env.LONGHOUSE_PORT) {
      fault('TLS_PORT', 'must not be LONGHOUSE_PORT, which is for HTTP')
    }
  })
  .transform(
    (env): Site => ({
      domain: env.LONGHOUSE_DOMAIN,
      host: env.LONGHOUSE_HOST,
      port: env.LONGHOUSE_PORT,
      publicUrl: env.LONGHOUSE_PUBLIC_URL ?? (env.TLS_MODE === 'off' ? null : ownUrl(env)),
      tls: env.TLS_MODE === 'off' ? null : { mode: env.TLS_MODE, port: env.TLS_PORT },
      hstsSeconds: Math.floor(env.LONGHOUSE_HSTS / 1000),
      proxyProtocol: env.LONGHOUSE_PROXY_PROTOCOL,
      dataRoot: env.LONGHOUSE_DATA_ROOT,
      trustedProxies:
        env.ROUTER_MODE === 'behind'
          ? // The proxy is on this machine unless another is configured.
            [...new Set([...env.LONGHOUSE_TRUSTED_PROXIES, ...proxyPresets.loopback])]
          : env.LONGHOUSE_TRUSTED_PROXIES,
      routerMode: env.ROUTER_MODE,
      bodyRate: env.ROUTER_BODY_RATE,
      drainGraceMs: env.ROUTER_DRAIN_GRACE,
      production: env.NODE_ENV === 'production',
      brand: brandOf(env),
    }),
  )

/** Where people reach the control plane when HTTPS is served here. */
function ownUrl(env: { LONGHOUSE_DOMAIN: string; TLS_PORT: number }): URL {
  return new URL(`https://control.${env.LONGHOUSE_DOMAIN}:${env.TLS_PORT || 443}`)
}

function isOrigin(text: string): boolean {
  return /^https?:\/\/[^/?#\\@\s]+\/?$/.test(text) && URL.canParse(text)
}

/** The site's addresses and folders, for the other plugins. */
export const site = definePlugin({
  name: 'site',
  config: siteConfig,
  setup: ({ config }) => ({ service: config }),
})
