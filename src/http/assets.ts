import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hono } from 'hono'
import type { AppEnv } from './route.ts'

/** Public addresses of assets, by their plain names. */
export interface Assets {
  url(name: string): string
  mount(app: Hono<AppEnv>): void
}

const types: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * Loads the assets built into `folder`: hashed files, each also as brotli and gzip, and `index.json` from plain to
 * hashed names. They are few and small, so they are held in memory and may be cached forever.
 */
export function loadAssets(folder: string): Assets {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<string, string>
  const files = new Map(
    Object.values(index).map(file => {
      const encodings: Record<string, Uint8Array<ArrayBuffer>> = {
        identity: new Uint8Array(readFileSync(join(folder, file))),
      }
      for (const [name, suffix] of [
        ['br', '.br'],
        ['gzip', '.gz'],
      ] as const) {
        if (existsSync(join(folder, file + suffix)))
          encodings[name] = new Uint8Array(readFileSync(join(folder, file + suffix)))
      }
      return [file, encodings]
    }),
  )
  return {
    url: name => {
      const file = index[name]
      if (!file) throw new Error(`no asset is called ${name}`)
      return `/assets/${file}`
    },
    mount: app => {
      app.get('/assets/:file', (c, next) => {
        const file = c.req.param('file')
        const encodings = files.get(file)
        if (!encodings) return next()
        const accepted = acceptedEncodings(c.req.header('accept-encoding') ?? '')
        const encoding = ['br', 'gzip'].find(name => accepted.has(name) && encodings[name]) ?? 'identity'
        c.header('Content-Type', types[file.split('.').pop() ?? ''] ?? 'application/octet-stream')
        c.header('Cache-Control', 'public, max-age=31536000, immutable')
        c.header('Vary', 'Accept-Encoding')
        if (encoding !== 'identity') c.header('Content-Encoding', encoding)
        return c.body(encodings[encoding] as Uint8Array<ArrayBuffer>)
      })
    },
  }
}

/** The encodings that a client accepts, without those refused by `q=0`. */
function acceptedEncodings(header: string): Set<string> {
  const codings = header.toLowerCase().split(',')
  return new Set(
    codings
      .filter(coding => !/;\s*q=0(\.0*)?\s*$/.test(coding))
      .map(coding => coding.split(';')[0]?.trim() ?? ''),
  )
}
