import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
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
  png: 'image/png',
  svg: 'image/svg+xml',
}

const codings = { br: '.br', gzip: '.gz' } as const

/**
 * Knows the assets built into `folder`: hashed files, each also as brotli and gzip, and `index.json` from plain to
 * hashed names. They may be cached forever, so a browser asks once, and they are read from the disk for it: in memory,
 * the three forms of each would be a megabyte in every instance.
 */
export function loadAssets(folder: string): Assets {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<string, string>
  const files = new Map(
    Object.values(index).map(file => [
      file,
      (['br', 'gzip'] as const).filter(coding => existsSync(join(folder, file + codings[coding]))),
    ]),
  )
  return {
    url: name => {
      const file = index[name]
      if (!file) throw new Error(`no asset is called ${name}`)
      return `/assets/${file}`
    },
    mount: app => {
      app.get('/assets/:file', async (c, next) => {
        const file = c.req.param('file')
        const encodings = files.get(file)
        if (!encodings) return next()
        const accepted = acceptedEncodings(c.req.header('accept-encoding') ?? '')
        const encoding = encodings.find(name => accepted.has(name))
        const content = await readFile(join(folder, encoding ? file + codings[encoding] : file))
        c.header('Content-Type', typeOf(file))
        c.header('Cache-Control', 'public, max-age=31536000, immutable')
        c.header('Vary', 'Accept-Encoding')
        if (encoding) c.header('Content-Encoding', encoding)
        return c.body(content)
      })
    },
  }
}

export interface AddedAsset {
  /** Its plain name, such as `logo.png`; the end says its type. */
  name: string
  content: Buffer
}

/**
 * The same assets and more, under names that change with their content. A name that is there already is replaced.
 */
export function withAssets(assets: Assets, added: readonly AddedAsset[]): Assets {
  const hashed = added.map(({ name, content }) => {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 10)
    return { name, content, path: `/assets/${name.replace(/(\.\w+)$/, `-${hash}$1`)}` }
  })
  return {
    url: name => hashed.find(each => each.name === name)?.path ?? assets.url(name),
    mount: app => {
      for (const { path, content } of hashed) {
        app.get(path, c => {
          c.header('Content-Type', typeOf(path))
          c.header('Cache-Control', 'public, max-age=31536000, immutable')
          return c.body(new Uint8Array(content))
        })
      }
      assets.mount(app)
    },
  }
}

function typeOf(file: string): string {
  return types[file.split('.').pop() ?? ''] ?? 'application/octet-stream'
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
