// npm, as an instance runs it:
//
// - The package `longhouse` of this instance is put into npm's cache first: an instance need not reach its own public
//   address, and often cannot.
// - npm unpacks all packages at the same time. Here, it unpacks a few: a gigabyte of packages would take more memory
//   than an instance has.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { limit } from '../../../src/concurrency.ts'
import { type Cached, type NpmOrder, orderVariable } from './order.ts'

/** What npm itself keeps its cache with. */
interface Cacache {
  put(cache: string, key: string, data: Buffer, options: { metadata: object }): Promise<unknown>
}

/** What npm fetches and unpacks packages with. */
interface Pacote {
  extract(...args: unknown[]): Promise<unknown>
}

/** Two take half of the memory that all take, and the same time. */
const unpackedAtOnce = 2

const { npm, cacheDir, cached } = JSON.parse(process.env[orderVariable] ?? '') as NpmOrder
delete process.env[orderVariable]
const require = createRequire(join(npm, 'package.json'))

const pacote = require('pacote') as Pacote
const { extract } = pacote
const inTurn = limit(unpackedAtOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))
pacote.extract = (...args) => inTurn(() => extract(...args))

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
