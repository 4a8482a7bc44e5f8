// npm, for an installation that names the package `longhouse` of this instance. npm takes it from its cache, into which
// this program puts it first: an instance need not reach its own public address, and often cannot.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Cached, cachedVariable, type NpmOrder } from './npm-order.ts'

/** What npm itself keeps its cache with. */
interface Cacache {
  put(cache: string, key: string, data: Buffer, options: { metadata: object }): Promise<unknown>
}

const { npm, cacheDir, cached } = JSON.parse(process.env[cachedVariable] ?? '') as NpmOrder
delete process.env[cachedVariable]
const require = createRequire(join(npm, 'package.json'))

void Promise.all(cached.map(put)).then(() => {
  const run = require(join(npm, 'lib/cli.js')) as (process: NodeJS.Process) => unknown
  return run(process)
})

/** As npm does it with what it fetched itself. If that is not possible, npm asks the address. */
async function put({ url, file }: Cached): Promise<void> {
  try {
    const cacache = require('cacache') as Cacache
    await cacache.put(
      join(cacheDir, '_cacache'),
      `make-fetch-happen:request-cache:${url}`,
      readFileSync(file),
      {
        metadata: {
          time: Date.now(),
          url,
          reqHeaders: {},
          resHeaders: {
            'cache-control': 'public, max-age=31536000, immutable',
            'content-type': 'application/gzip',
            date: new Date().toUTCString(),
          },
          options: { compress: true },
        },
      },
    )
  } catch (error) {
    console.error(`[longhouse] ${url} could not be put into npm's cache: ${(error as Error).message}`)
  }
}
